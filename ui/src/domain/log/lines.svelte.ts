/** The lines of one log: pieces of 500 as they come into sight, and the end as it grows. */
import { platform } from '../../app/platform'
import { later } from '../../app/seen'
import type { LogLine, LogPage, LogQuery } from '../../platform/types'

const PIECE = 500
const KEPT = 60
/** A log that grows is searched again so seldom, milliseconds. */
const AGAIN = 2000

export class Lines {
  total = $state(0)
  bytes = $state(0)
  ended = $state(false)
  loaded = $state(false)
  lastAt = $state<string | null>(null)
  firstError = $state<number | null>(null)
  stage = $state('')
  attempt = $state(0)
  error = $state.raw<unknown>(null)
  hits = $state.raw<number[]>([])
  hitTotal = $state(0)
  /** Whether these are the hits of what is looked for here. */
  found = $state(false)
  #sought = ''
  /** The search under way, whose answer counts, and what the log was when it began. */
  #seeking: object | null = null
  #soughtAt = 0
  #soughtIn = 0
  /** The pieces in sight. */
  #sight: [number, number] = [0, 0]
  #pieces = $state.raw<Map<number, (LogLine | undefined)[]>>(new Map())
  #asked = new Set<number>()
  #query: LogQuery | null = null
  #round = 0
  /** Ends the wait for the next look at the end. */
  #leave = () => {}

  open(query: LogQuery): void {
    this.#round += 1
    this.#query = query
    this.#pieces = new Map()
    this.#asked = new Set()
    this.loaded = false
    this.error = null
    this.total = 0
    this.#sought = ''
    this.#forget()
    this.#leave()
    void this.#end(this.#round)
  }

  close(): void {
    this.#round += 1
    this.#leave()
  }

  line(index: number): LogLine | undefined {
    return this.#pieces.get(Math.floor(index / PIECE))?.[index % PIECE]
  }

  sight(first: number, last: number): void {
    this.#sight = [Math.floor(first / PIECE), Math.floor(Math.max(0, last - 1) / PIECE)]
    for (let piece = this.#sight[0]; piece <= this.#sight[1]; piece++) {
      if (this.#asked.has(piece)) continue
      this.#asked.add(piece)
      void this.#load(piece, this.#round)
    }
  }

  /** Until something else is opened or looked for: in what the log becomes, too. */
  async search(text: string): Promise<void> {
    this.#sought = text
    this.#forget()
    await this.#seek()
  }

  #forget(): void {
    this.#seeking = null
    this.found = false
    this.hits = []
    this.hitTotal = 0
  }

  async #seek(): Promise<void> {
    if (!this.#query || this.#sought === '') return
    const mine = (this.#seeking = {})
    this.#soughtAt = Date.now()
    this.#soughtIn = this.total
    try {
      const found = await platform().logSearch(this.#query, this.#sought)
      if (mine !== this.#seeking) return
      this.hits = found.lines
      this.hitTotal = found.total
      this.found = true
    } catch (error) {
      if (mine === this.#seeking) this.error = error
    } finally {
      if (mine === this.#seeking) this.#seeking = null
    }
  }

  async #load(piece: number, round: number): Promise<void> {
    if (!this.#query) return
    try {
      const page = await platform().log(this.#query, piece * PIECE + 1, PIECE)
      if (round === this.#round) this.#take(page)
    } catch (error) {
      if (round !== this.#round) return
      this.#asked.delete(piece)
      this.error = error
    }
  }

  /** The end, again and again while there may be more; at most twice a second, and not while nobody looks. */
  async #end(round: number): Promise<void> {
    if (!this.#query) return
    try {
      const page = await platform().log(this.#query, -200, 200)
      if (round !== this.#round) return
      this.#take(page)
      this.loaded = true
      this.error = null
    } catch (error) {
      if (round !== this.#round) return
      this.error = error
      this.loaded = true
    }
    if (!this.ended) this.#leave = later(500, () => void this.#end(round))
  }

  #take(page: LogPage): void {
    // The newest attempt was asked for, and there is a newer one: nothing of the one before stays.
    const other = this.loaded && (page.stage !== this.stage || page.attempt !== this.attempt)
    if (other) {
      this.#asked = new Set()
      this.total = 0
      this.#forget()
    }
    const pieces = new Map(other ? [] : this.#pieces)
    const copied = new Set<number>()
    for (const line of page.lines) {
      const piece = Math.floor((line.n - 1) / PIECE)
      let list = pieces.get(piece)
      if (!list || !copied.has(piece)) {
        list = list ? [...list] : []
        pieces.set(piece, list)
        copied.add(piece)
      }
      list[(line.n - 1) % PIECE] = line
    }
    // More lines than were asked for have come since: what lies between is asked for when it comes into sight.
    if (page.total > this.total) {
      for (let p = Math.floor(this.total / PIECE); p <= Math.floor((page.total - 1) / PIECE); p++) {
        const list = pieces.get(p)
        const end = Math.min(PIECE, page.total - p * PIECE)
        let full = list !== undefined
        if (list) for (let i = 0; i < end; i++) if (!list[i]) full = false
        if (!full) this.#asked.delete(p)
      }
    }
    // What is looked at stays, however long ago it came.
    for (const piece of pieces.keys()) {
      if (pieces.size <= KEPT) break
      if (piece >= this.#sight[0] && piece <= this.#sight[1]) continue
      pieces.delete(piece)
      this.#asked.delete(piece)
    }
    this.#pieces = pieces
    this.total = page.total
    this.bytes = page.bytes
    this.ended = page.ended
    this.lastAt = page.last_at
    this.firstError = page.first_error
    this.stage = page.stage
    this.attempt = page.attempt
    const due = page.ended || Date.now() - this.#soughtAt >= AGAIN
    if (!this.#seeking && (other || (due && page.total > this.#soughtIn))) void this.#seek()
  }
}
