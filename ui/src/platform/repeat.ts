/** Work that repeats, as the door tells it (`types.ts`). */
import type { CatchUp, JsonValue, Overlap, UtcMs } from '../bindings/core'

/** `engine::start::RepeatRequest`. */
export interface RepeatRequest {
  /** The schedule's name; no other has the same. */
  name: string
  /** `30 2 * * *`, `@daily` or `every 6h`. */
  timing: string
  /** An IANA time zone; null: this machine's. */
  zone: string | null
  catch_up: CatchUp
  overlap: Overlap
}

/** When a timetable is due. */
export interface TimesView {
  /** The IANA name of the time zone. */
  zone: string
  /** The next times, at most five. */
  upcoming: UtcMs[]
}

/** `engine::client::ScheduleEdit`: what is to be another; what is not named stays. */
export interface ScheduleEdit {
  name?: string
  timing?: string
  zone?: string
  catch_up?: CatchUp
  overlap?: Overlap
  /** Values of parameters; secrets among them are kept apart. */
  params?: { [name: string]: JsonValue }
  /** Parameters that are to be as the pipeline says again. */
  unset?: string[]
}
