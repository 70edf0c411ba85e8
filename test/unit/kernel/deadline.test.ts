import { describe, expect, jest, test } from "@jest/globals";
import { limiter, QueueMeter, queueing } from "../../../providers/kernel/concurrency.ts";
import { deadline } from "../../../providers/kernel/deadline.ts";

/** Jest's clock instead of the machine's, `performance.now()` included. */
function withClock(row: () => Promise<void> | void): () => Promise<void> {
  return async () => {
    jest.useFakeTimers();
    try {
      await row();
    } finally {
      jest.useRealTimers();
    }
  };
}

describe("the deadline of an operation", () => {
  test(
    "ends one that works too long, and says how long that is",
    withClock(() => {
      const { signal } = deadline(5, new QueueMeter());
      jest.advanceTimersByTime(4_999);
      expect(signal.aborted).toBe(false);
      jest.advanceTimersByTime(2);
      expect(signal.reason).toMatchObject({ message: "not finished after 5 s of work" });
    }),
  );

  test(
    "does not count the wait for a turn, neither one that ended nor one that goes on",
    withClock(() => {
      const meter = new QueueMeter();
      const { signal } = deadline(5, meter);
      const admitted = meter.begin();
      jest.advanceTimersByTime(60_000);
      expect(signal.aborted).toBe(false);
      admitted();
      jest.advanceTimersByTime(4_000);
      meter.begin();
      jest.advanceTimersByTime(60_000);
      expect(signal.aborted).toBe(false);
    }),
  );

  test(
    "counts the work after the wait",
    withClock(() => {
      const meter = new QueueMeter();
      const { signal } = deadline(5, meter);
      const admitted = meter.begin();
      jest.advanceTimersByTime(60_000);
      admitted();
      jest.advanceTimersByTime(5_002);
      expect(signal.aborted).toBe(true);
    }),
  );

  test(
    "is no longer watched once the operation has ended",
    withClock(() => {
      const { signal, end } = deadline(5, new QueueMeter());
      end();
      jest.advanceTimersByTime(60_000);
      expect(signal.aborted).toBe(false);
    }),
  );
});

test(
  "a limiter counts the wait for a turn as the waiting operation's",
  withClock(async () => {
    const inTurn = limiter("deadline.test", 1);
    let free: () => void = () => undefined;
    const first = inTurn(() => new Promise<void>((resolve) => (free = resolve)));
    const meter = new QueueMeter();
    const second = queueing.run(meter, () => inTurn(async () => undefined));
    await jest.advanceTimersByTimeAsync(3_000);
    free();
    await Promise.all([first, second]);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(meter.seconds).toBeCloseTo(3);
  }),
);
