/** Mutants for whom the shrinker mostly ends one operation above the shortest sequence, and why. */
export const LONGER: Readonly<Record<string, string>> = {
  S20: 'a message and its mask bit in one write of 8 bytes are not made of two writes',
  M4: 'a call about two vectors that fails at the second is not made of two calls',
  M5: 'a call about two vectors that fails at the second is not made of two calls',
  M22: 'two mdevs in turn are not made one mdev with two vectors',
  M30: 'a call about two vectors that fails at the second is not made of two calls',
};
