/** The platform in force; set once, before anything is mounted. */
import type { Platform } from '../platform/types'

let current: Platform | null = null

export function usePlatform(platform: Platform): void {
  current = platform
}
export function platform(): Platform {
  if (!current) throw new Error('no platform')
  return current
}
