/** A citable sentence: what a rule of the model says, and where it is from. */
export interface Clause {
  /** `layer.file.what`, for example `vfio.set-irqs.action-unsupported`. */
  readonly id: string;
  readonly title: string;
  /** Function and version, section of a specification, or commit. */
  readonly source: string;
  /** Why no generated scenario reaches it; left out where one does. */
  readonly undrawn?: string;
}
