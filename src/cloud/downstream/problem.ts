/** What is wrong with a Device or its model. `reason` is one word for conditions and Events; `message` names the field. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}
