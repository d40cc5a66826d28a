/** Limits of queues as somebody just set them: seen at once, wished for one after another, forgotten when they are in force. */
import { wish } from '../../app/act'
import type { QueueView } from '../../platform/types'

export class Limits {
  #wanted = $state<{ [queue: string]: number }>({})
  /** Answered; what the next news of the queues says is in force. */
  #answered = new Set<string>()
  readonly #queues: () => QueueView[]

  /** To be made while a component is. */
  constructor(queues: () => QueueView[]) {
    this.#queues = queues
    $effect(() => {
      for (const queue of queues()) if (this.#answered.has(queue.name)) this.#forget(queue.name)
    })
  }

  of(queue: QueueView): number {
    return this.#wanted[queue.name] ?? queue.limit
  }

  async set(name: string, limit: number): Promise<void> {
    const underWay = name in this.#wanted && !this.#answered.has(name)
    this.#answered.delete(name)
    this.#wanted[name] = limit
    if (underWay) return
    let sent: number | undefined
    let done = true
    while (done && sent !== this.#wanted[name]) {
      sent = this.#wanted[name] ?? limit
      done = await wish(null, { kind: 'queue', args: { name, limit: sent } })
    }
    if (done && this.#queues().find((queue) => queue.name === name)?.limit !== sent) this.#answered.add(name)
    else this.#forget(name)
  }

  #forget(name: string): void {
    this.#answered.delete(name)
    delete this.#wanted[name]
  }
}
