import type { GuestConfigWrite, GuestTableWrite } from '#vocabulary';

/** Where Vector Control is in an entry. */
export const VECTOR_CONTROL_OFFSET = 12;
/** The byte of the capability with Enable and Function Mask. */
export const CONTROL_HIGH_BYTE = 3;

/** Enable and Function Mask of Message Control, as bits of its 16. */
export const ENABLE = 0x8000;
export const FUNCTION_MASK = 0x4000;

/** Enable and Function Mask as a write to configuration space gives them, or undefined where it does not cover them. */
export function writtenControl({
  offset,
  width,
  value,
}: GuestConfigWrite): { readonly enable: boolean; readonly functionMask: boolean } | undefined {
  const place = CONTROL_HIGH_BYTE - offset;
  if (place < 0 || place >= width) return undefined;
  const byte = (value >>> (8 * place)) & 0xff;
  return { enable: (byte & (ENABLE >> 8)) !== 0, functionMask: (byte & (FUNCTION_MASK >> 8)) !== 0 };
}

/** Vector Control as a plain write to the table gives it, or undefined where it does not, or not as a whole. */
export function writtenVectorControl({ offset, width, value, high = 0 }: GuestTableWrite): number | undefined {
  if (offset === VECTOR_CONTROL_OFFSET && width >= 4) return value;
  return offset === VECTOR_CONTROL_OFFSET - 4 && width === 8 ? high : undefined;
}
