/** Runs that are to be compared and are no more. */
import { platform } from '../../app/platform'
import { isFault } from '../../platform/types'

/** Those of these that there are not; asked one by one, for a fault names one of them only. */
export async function goneOf(numbers: number[]): Promise<number[]> {
  const gone = await Promise.all(
    numbers.map((number) =>
      platform()
        .show(number)
        .then(() => false)
        .catch((fault: unknown) => isFault(fault) && fault.code === 'not_found'),
    ),
  )
  return numbers.filter((_, i) => gone[i])
}
