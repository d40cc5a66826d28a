/** What the place is called that is looked at: the name of a run, which only its view knows. */
let called = $state('')

export function placeName(): string {
  return called
}
export function callPlace(name: string): void {
  called = name
}
