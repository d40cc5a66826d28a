import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const SRC = join(process.cwd(), 'src')

/** Every file below `src`. */
export function files(folder = SRC): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })
}
