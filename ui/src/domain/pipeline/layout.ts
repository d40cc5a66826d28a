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
  width: number
  height: number
  nodes: Placed[]
  edges: Edge[]
}

export const NODE = { width: 142, height: 48 }

export function draw(stages: { name: string; needs: string[] }[]): Drawn {
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: 46, marginx: 1, marginy: 4, ranker: 'longest-path' })
  graph.setDefaultEdgeLabel(() => ({}))
  const names = new Set(stages.map((stage) => stage.name))
  for (const stage of stages) graph.setNode(stage.name, { ...NODE })
  for (const stage of stages) for (const need of stage.needs) if (names.has(need)) graph.setEdge(need, stage.name)
  layout(graph)
  const nodes = stages.map((stage) => {
    const node = graph.node(stage.name) as { x: number; y: number }
    return { name: stage.name, x: node.x - NODE.width / 2, y: node.y - NODE.height / 2 }
  })
  const edges = graph.edges().map((edge) => {
    const { points } = graph.edge(edge) as { points: { x: number; y: number }[] }
    const a = graph.node(edge.v) as { x: number; y: number }
    const b = graph.node(edge.w) as { x: number; y: number }
    const start = { x: a.x + NODE.width / 2, y: a.y }
    const end = { x: b.x - NODE.width / 2, y: b.y }
    const middle = end.x - start.x > 80 ? points.slice(1, -1).filter((p) => p.x > start.x + 8 && p.x < end.x - 8) : []
    return { from: edge.v, to: edge.w, path: curve([start, ...middle, end]) }
  })
  const size = graph.graph() as { width?: number; height?: number }
  return { width: Math.ceil((size.width ?? 0) + 2), height: Math.ceil((size.height ?? 0) + 2), nodes, edges }
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
