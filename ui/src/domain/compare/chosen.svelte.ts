/** The ended runs that were chosen to be compared, in the order in which they were. */
const chosen = $state<{ numbers: number[] }>({ numbers: [] })

/** As many as the engine compares. */
export const MOST = 100

export function chosenRuns(): number[] {
  return chosen.numbers
}
export function isChosen(number: number): boolean {
  return chosen.numbers.includes(number)
}
export function choose(number: number, on: boolean): void {
  const others = chosen.numbers.filter((other) => other !== number)
  chosen.numbers = on ? [...others, number] : others
}
export function chooseNone(): void {
  chosen.numbers = []
}
