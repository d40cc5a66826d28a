/** The lines of one log: pieces of 500 as they come into sight, and the end as it grows. */
import { platform } from '../../app/platform'
import { later } from '../../app/seen'
import type { LogLine, LogPage, LogQuery } from '../../platform/types'

const PIECE = 500
const KEPT = 60

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
    this.hits = []
    this.hitTotal = 0
    this.total = 0
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
    for (let piece = Math.floor(first / PIECE); piece <= Math.floor(Math.max(0, last - 1) / PIECE); piece++) {
      if (this.#asked.has(piece)) continue
      this.#asked.add(piece)
      void this.#load(piece, this.#round)
    }
  }

  async search(text: string): Promise<void> {
    const query = this.#query
    const round = this.#round
    if (!query || text === '') {
      this.hits = []
      this.hitTotal = 0
      return
    }
    try {
      const found = await platform().logSearch(query, text)
      if (round !== this.#round) return
      this.hits = found.lines
      this.hitTotal = found.total
    } catch (error) {
      if (round === this.#round) this.error = error
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
      this.hits = []
      this.hitTotal = 0
      this.total = 0
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
    while (pieces.size > KEPT) {
      const oldest = pieces.keys().next().value
      if (oldest === undefined) break
      pieces.delete(oldest)
      this.#asked.delete(oldest)
    }
    this.#pieces = pieces
    this.total = page.total
    this.bytes = page.bytes
    this.ended = page.ended
    this.lastAt = page.last_at
    this.firstError = page.first_error
    this.stage = page.stage
    this.attempt = page.attempt
  }
}
