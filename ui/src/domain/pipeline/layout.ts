/** Where the stages of a pipeline stand: dagre's layers, from left to right. Pure. */
import { Graph, layout } from '@dagrejs/dagre'

export interface Placed {
  name: string
  x: number
  y: number
}
export interface Edge {
  from: string
  to: string
  path: string
}
export interface Drawn {
  /** Of a node. */
  node: number
  width: number
  height: number
  nodes: Placed[]
  edges: Edge[]
}

export const HEIGHT = 48
/** Width of a node and the way to the next, from what can be read to what looks lost. */
const NODE = { least: 118, most: 160 }
const GAP = { least: 24, most: 64 }

/** As wide as the room, as far as that can be; where even the least is wider, it is to be scrolled. */
function fit(ranks: number, room: number): { node: number; gap: number } {
  const wide = (part: 'least' | 'most') => ranks * NODE[part] + (ranks - 1) * GAP[part] + 4
  const share = Math.min(1, Math.max(0, (room - wide('least')) / (wide('most') - wide('least'))))
  const between = (range: typeof NODE) => Math.floor(range.least + share * (range.most - range.least))
  return { node: between(NODE), gap: between(GAP) }
}

/** So many stages stand one after the other. */
function depth(stages: { name: string; needs: string[] }[]): number {
  const needs = new Map(stages.map((stage) => [stage.name, stage.needs]))
  const known = new Map<string, number>()
  const of = (name: string): number => {
    const found = known.get(name)
    if (found !== undefined) return found
    known.set(name, 1)
    const before = (needs.get(name) ?? []).filter((need) => needs.has(need)).map(of)
    known.set(name, 1 + Math.max(0, ...before))
    return known.get(name) ?? 1
  }
  return Math.max(1, ...stages.map((stage) => of(stage.name)))
}

export function draw(stages: { name: string; needs: string[] }[], room = 700): Drawn {
  const { node: width, gap } = fit(depth(stages), room)
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: gap, marginx: 1, marginy: 4, ranker: 'longest-path' })
  graph.setDefaultEdgeLabel(() => ({}))
  const names = new Set(stages.map((stage) => stage.name))
  for (const stage of stages) graph.setNode(stage.name, { width, height: HEIGHT })
  for (const stage of stages) for (const need of stage.needs) if (names.has(need)) graph.setEdge(need, stage.name)
  layout(graph)
  const nodes = stages.map((stage) => {
    const node = graph.node(stage.name) as { x: number; y: number }
    return { name: stage.name, x: node.x - width / 2, y: node.y - HEIGHT / 2 }
  })
  const edges = graph.edges().map((edge) => {
    const { points } = graph.edge(edge) as { points: { x: number; y: number }[] }
    const a = graph.node(edge.v) as { x: number; y: number }
    const b = graph.node(edge.w) as { x: number; y: number }
    const start = { x: a.x + width / 2, y: a.y }
    const end = { x: b.x - width / 2, y: b.y }
    const middle =
      end.x - start.x > width ? points.slice(1, -1).filter((p) => p.x > start.x + 8 && p.x < end.x - 8) : []
    return { from: edge.v, to: edge.w, path: curve([start, ...middle, end]) }
  })
  const size = graph.graph() as { width?: number; height?: number }
  const [wide, high] = [Math.ceil((size.width ?? 0) + 2), Math.ceil((size.height ?? 0) + 2)]
  return { node: width, width: wide, height: high, nodes, edges }
}

/** Level at its ends, so that lines leave and reach the nodes straight. */
function curve(points: { x: number; y: number }[]): string {
  let text = ''
  points.forEach((p, i) => {
    const before = points[i - 1]
    if (!before) {
      text = `M${p.x.toFixed(1)} ${p.y.toFixed(1)}`
      return
    }
    const mid = (before.x + p.x) / 2
    text += `C${mid.toFixed(1)} ${before.y.toFixed(1)} ${mid.toFixed(1)} ${p.y.toFixed(1)} ${p.x.toFixed(1)} ${p.y.toFixed(1)}`
  })
  return text
}
