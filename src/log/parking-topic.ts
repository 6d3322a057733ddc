/** Where dead letters of a pipeline go that were refused again and again. It is made when the first of them is parked. */
export function parkingTopic(pipeline: string): string {
  return `${pipeline}.parked`;
}
