/** Pages of ended runs, fetched as they come into sight. What was there stays until what replaces it has come. */
import { platform } from '../../app/platform'
import { ENDED } from '../../model/run'
import type { ListQuery, RunPage, RunView } from '../../platform/types'

export const PAGE = 100

type Question = Omit<ListQuery, 'limit' | 'offset'>
/** What the first screen asks. */
export const EVERYTHING: Question = { statuses: ENDED, queue: null, experiment: null, tag: null, search: null }

let early: { query: ListQuery; answer: Promise<RunPage> } | null = null

/** Asks for the first screen's runs before there is one, so that it is painted once. */
export async function askEarly(): Promise<void> {
  const query = { ...EVERYTHING, limit: PAGE, offset: 0 }
  early = { query, answer: platform().list(query) }
  setTimeout(() => (early = null), 1000)
  await early.answer
}

/** That answer serves once, and not for long: it grows old. */
function list(query: ListQuery): Promise<RunPage> {
  const known = early
  early = null
  return known && JSON.stringify(known.query) === JSON.stringify(query) ? known.answer : platform().list(query)
}

export class Pages {
  total = $state(0)
  /** Nothing has been answered yet. */
  loading = $state(true)
  error = $state.raw<unknown>(null)
  #rows = $state.raw<Map<number, RunView[]>>(new Map())
  #query: Question = { ...EVERYTHING, statuses: [] }
  #asked = new Set<number>()
  #round = 0
  #seen: [number, number] = [0, 1]

  row(index: number): RunView | undefined {
    return this.#rows.get(Math.floor(index / PAGE))?.[index % PAGE]
  }

  /** A run, as far as its page is here. */
  find(number: number): RunView | undefined {
    for (const runs of this.#rows.values()) {
      const found = runs.find((run) => run.number === number)
      if (found) return found
    }
    return undefined
  }

  /** Where these runs stand, as far as their pages are here, in order. */
  places(numbers: number[]): number[] {
    if (numbers.length === 0) return []
    const found: number[] = []
    for (const [page, runs] of this.#rows) {
      runs.forEach((run, i) => {
        if (numbers.includes(run.number)) found.push(page * PAGE + i)
      })
    }
    return found.sort((a, b) => a - b)
  }

  /** Another question, or the same again because something changed. */
  ask(query: Question): void {
    this.#query = query
    this.#round += 1
    this.#asked = new Set()
    this.#fetch(this.#seen[0], this.#seen[1], true)
  }

  /** These rows are in sight. */
  sight(first: number, last: number): void {
    this.#seen = [first, Math.max(first + 1, last)]
    this.#fetch(first, last, false)
  }

  #fetch(first: number, last: number, fresh: boolean): void {
    const round = this.#round
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(0, last - 1) / PAGE); page++) {
      if (this.#asked.has(page)) continue
      this.#asked.add(page)
      void this.#load(page, round, fresh)
    }
  }

  async #load(page: number, round: number, fresh: boolean): Promise<void> {
    try {
      const answer = await list({ ...this.#query, limit: PAGE, offset: page * PAGE })
      if (round !== this.#round) return
      // Of an earlier question only what is asked for again may stay, until it has come.
      const kept = fresh ? [...this.#rows].filter(([other]) => this.#asked.has(other)) : [...this.#rows]
      this.#rows = new Map([...kept, [page, answer.runs]])
      this.total = answer.total
      this.error = null
    } catch (error) {
      if (round !== this.#round) return
      this.error = error
      this.#asked.delete(page)
    } finally {
      if (round === this.#round) this.loading = false
    }
  }
}
