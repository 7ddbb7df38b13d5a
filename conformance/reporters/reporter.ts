import type { CaseReport, SuiteReport } from '../report.js';
import type { PlanSummary } from '../suite.js';

/** Where a reporter writes; `columns` is there where it is a terminal. */
export interface Output {
  readonly write: (text: string) => void;
  readonly columns?: number | undefined;
}

/** Told what happens while a suite runs. */
export interface Reporter {
  readonly plan?: (plan: PlanSummary) => void;
  readonly case?: (report: CaseReport) => void;
  readonly end: (report: SuiteReport) => void;
}

/** What a reporter must know beside the report. */
export interface ReporterSettings {
  /** How the target was named on the command line; empty where the kit started it. */
  readonly target: string;
  /** TAP without its version line, for old consumers. */
  readonly tapVersion: boolean;
}
