export interface DemoPicture {
  readonly device: string;
  /** The newest count that the edge node acknowledged to the counter. */
  readonly counted: number | undefined;
  /** What Kubernetes shows for the Device. */
  readonly inKubernetes: string | undefined;
  /** Unknown until the edge node was first asked. */
  readonly isLinked: boolean | undefined;
  /** Facts stored on the edge node that the cloud has not confirmed. */
  readonly waiting: number | undefined;
}

export function pictureLine({ device, counted, inKubernetes, isLinked, waiting }: DemoPicture): string {
  const link = isLinked === false ? '✂ no link ✂' : '→';
  const shown = inKubernetes === undefined || inKubernetes === '' ? 'nothing yet' : inKubernetes;
  return `${device} counts ${counted ?? '…'}  →  edge node keeps it, ${waiting ?? 0} waiting  ${link}  Kubernetes shows ${shown}`;
}
