/** Waits for all; when one fails, the others are told to end. */
export async function together(lanes: readonly (() => Promise<void>)[], end: () => void): Promise<void> {
  const ending = lanes.map((lane) =>
    lane().catch((error: unknown) => {
      end();
      throw error;
    }),
  );
  for (const settled of await Promise.allSettled(ending)) if (settled.status === 'rejected') throw settled.reason;
}
