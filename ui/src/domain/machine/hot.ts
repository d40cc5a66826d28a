/** How close to its end something is: `bad`, where work stands still for it. */
import type { DiskView } from '../../platform/types'

export type Hot = 'hot' | 'bad' | null

export function diskHot(disk: DiskView | null): Hot {
  return disk?.level === 'critical' ? 'bad' : disk?.level === 'low' ? 'hot' : null
}
