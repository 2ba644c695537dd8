/** 0, half, one less, without repetition. */
export function smaller(number: number): number[] {
  return [...new Set([0, Math.floor(number / 2), number - 1])].filter((less) => less >= 0 && less < number);
}
