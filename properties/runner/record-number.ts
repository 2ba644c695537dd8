import { z } from 'zod';

export const uint32 = z.int().min(0).max(0xffffffff);
export const uint16 = z.int().min(0).max(0xffff);
/** A place in the Config; the first one when left out. */
export const device = z.int().min(0).default(0);
