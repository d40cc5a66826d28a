/** Work that repeats, as the door tells it (`types.ts`). */
import type { CatchUp, Overlap, UtcMs } from '../bindings/core'

/** `engine::start::RepeatRequest`. */
export interface RepeatRequest {
  /** The schedule's name; no other has the same. */
  name: string
  /** `30 2 * * *`, `@daily` or `every 6h`, in this machine's time zone. */
  timing: string
  catch_up: CatchUp
  overlap: Overlap
}

/** When a timetable is due. */
export interface TimesView {
  /** The IANA name of this machine's time zone. */
  zone: string
  /** The next times, at most five. */
  upcoming: UtcMs[]
}
