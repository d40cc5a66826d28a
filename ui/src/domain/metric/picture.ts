/** Charts as one picture, as they stand on the page: two a row, in the colours in force and as fine as the screen. */

export interface Painted {
  title: string
  legends: { label: string; value: string; color: number; dash: boolean }[]
  axis: string
  canvas: HTMLCanvasElement
  /** Of the canvas, CSS pixels. */
  height: number
}

const GAP = 16
const HEAD = 36
const TOP = 44

/** As much of a text as there is room for. */
function cut(pen: CanvasRenderingContext2D, text: string, room: number): string {
  const signs = [...text].slice(0, 200)
  if (pen.measureText(signs.join('')).width <= room) return signs.join('')
  while (signs.length > 0 && pen.measureText(`${signs.join('')}…`).width > room) signs.pop()
  return `${signs.join('')}…`
}

/** The bytes of a PNG. `title`: what it shows; `look` tells a colour or font by its token. */
export async function picture(charts: Painted[], title: string, look: (token: string) => string): Promise<number[]> {
  const scale = window.devicePixelRatio || 1
  const wide = Math.max(...charts.map((chart) => chart.canvas.width / scale)) + 2 * GAP
  const columns = Math.min(2, charts.length)
  const rows = Math.ceil(charts.length / columns)
  const high = Math.max(...charts.map((chart) => chart.height)) + HEAD + GAP
  const width = columns * wide + (columns + 1) * GAP
  const height = TOP + rows * (high + GAP)
  const sheet = document.createElement('canvas')
  sheet.width = width * scale
  sheet.height = height * scale
  const pen = sheet.getContext('2d')
  if (!pen) throw new Error('no canvas')
  pen.scale(scale, scale)
  pen.textBaseline = 'middle'
  const font = (weight: number, size: number) => (pen.font = `${weight} ${size}px ${look('--sans')}`)
  pen.fillStyle = look('--bg')
  pen.fillRect(0, 0, width, height)
  pen.fillStyle = look('--text')
  font(600, 15)
  pen.fillText(cut(pen, title, width - 2 * GAP), GAP, TOP / 2 + 4)
  charts.forEach((chart, i) => {
    const left = GAP + (i % columns) * (wide + GAP)
    const top = TOP + Math.floor(i / columns) * (high + GAP)
    pen.fillStyle = look('--card')
    pen.strokeStyle = look('--line')
    pen.lineWidth = 1
    pen.beginPath()
    pen.roundRect(left, top, wide, high, 10)
    pen.fill()
    pen.stroke()
    const middle = top + HEAD / 2 + 2
    font(400, 11)
    pen.textAlign = 'right'
    pen.fillStyle = look('--text-3')
    pen.fillText(chart.axis, left + wide - GAP, middle)
    const end = left + wide - GAP - pen.measureText(chart.axis).width - 12
    pen.textAlign = 'left'
    font(600, 13)
    pen.fillStyle = look('--text')
    const name = cut(pen, chart.title, 220)
    pen.fillText(name, left + GAP, middle)
    let x = left + GAP + pen.measureText(name).width + 14
    for (const legend of chart.legends) {
      font(400, 11)
      const text = cut(pen, legend.label, 120)
      const needs = 22 + pen.measureText(`${text} ${legend.value}`).width
      if (x + needs > end) break
      pen.strokeStyle = look(`--c${legend.color}`)
      pen.lineWidth = 2
      pen.setLineDash(legend.dash ? [4, 3] : [])
      pen.beginPath()
      pen.moveTo(x, middle)
      pen.lineTo(x + 14, middle)
      pen.stroke()
      pen.setLineDash([])
      pen.fillStyle = look('--text-2')
      pen.fillText(text, x + 20, middle)
      pen.fillStyle = look('--text')
      pen.fillText(legend.value, x + 20 + (text ? pen.measureText(`${text} `).width : 0), middle)
      x += needs + 14
    }
    pen.drawImage(chart.canvas, left + GAP, top + HEAD + 4, chart.canvas.width / scale, chart.height)
  })
  const blob = await new Promise<Blob | null>((done) => sheet.toBlob(done, 'image/png'))
  if (!blob) throw new Error('no picture')
  return [...new Uint8Array(await blob.arrayBuffer())]
}
