/** Starting what is ready to start. */
import { platform } from '../../app/platform'
import type { Submitted } from '../../platform/types'

/** The sample as it is: its defaults, at once. */
export function startSample(): Promise<Submitted> {
  return platform().start({
    kind: 'template',
    template: 'digits',
    preset: null,
    params: {},
    name: null,
    queue: null,
    priority: null,
    not_before: null,
    after: [],
  })
}
