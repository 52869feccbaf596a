/** Seconds: from a look-up by key to an upload of hours. */
export const requestBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** How long things took, in plain numbers. */
export class Durations {
  /** How many took as long as each bound at most and longer than the one before it; the last are those beyond all. */
  readonly counts: number[] = new Array(requestBounds.length + 1).fill(0)
  sum = 0

  add(seconds: number): void {
    let at = 0
    while (at < requestBounds.length && seconds > (requestBounds[at] as number)) at += 1
    this.counts[at] = (this.counts[at] as number) + 1
    this.sum += seconds
  }
}

/** What one route has answered. */
class RouteTally {
  readonly durations = new Durations()
  readonly answers = new Map<string, Map<number, number>>()
}

/**
 * Counts requests, at the cost of some additions for each: the metrics library looks labels up anew for every value, so it is told
 * when somebody asks.
 */
export class RequestTally {
  readonly routes = new Map<string, RouteTally>()

  add(route: string, method: string, status: number, seconds: number): void {
    let tally = this.routes.get(route)
    if (!tally) {
      tally = new RouteTally()
      this.routes.set(route, tally)
    }
    let statuses = tally.answers.get(method)
    if (!statuses) {
      statuses = new Map()
      tally.answers.set(method, statuses)
    }
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    tally.durations.add(seconds)
  }
}
