import type { Clause } from '#vocabulary';
import { declaredClauses } from './cite.ts';
// Loads every rule file, so that every clause is declared.
import './machine.ts';
import './mdev-machine.ts';

/** Every clause of the model, lowest layer first. */
export function allClauses(): readonly Clause[] {
  return declaredClauses();
}
