import { z } from "zod";
import { checkTimeZone, ExpressionError, readCron } from "./cron.ts";

const problemOf = (check: () => void): string | undefined => {
	try {
		check();
		return undefined;
	} catch (error) {
		if (error instanceof ExpressionError) return error.message;
		throw error;
	}
};
const checked = (check: (text: string) => void) =>
	z.string().superRefine((text, context) => {
		const message = problemOf(() => check(text));
		if (message !== undefined) context.addIssue({ code: "custom", message });
	});

export const nameSchema = z.string().regex(/^[0-9a-zA-Z\-_.]{1,64}$/, "1 to 64 letters, digits, -, _ and .");

/** Body of CreateSchedule and UpdateSchedule. A member that is not known here is refused. */
export const scheduleSchema = z.strictObject({
	GroupName: nameSchema.default("default"),
	ScheduleExpression: checked(readCron),
	ScheduleExpressionTimezone: checked(checkTimeZone).default("UTC"),
	FlexibleTimeWindow: z.strictObject({ Mode: z.literal("OFF") }),
	State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
	Description: z.string().max(512).optional(),
	/** An idempotency token; a repeat of the same request is harmless here anyway. */
	ClientToken: z.string().max(64).optional(),
	ActionAfterCompletion: z.literal("NONE").optional(),
	Target: z.strictObject({
		Arn: z.string().regex(/^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$/, "the ARN of a queue"),
		RoleArn: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/, "the ARN of a role"),
		Input: z.string().optional(),
		RetryPolicy: z
			.strictObject({
				MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional(),
				MaximumRetryAttempts: z.int().min(0).max(185).optional(),
			})
			.optional(),
		DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
	}),
});
export type ScheduleBody = z.output<typeof scheduleSchema>;

/** A schedule as it is kept. */
export interface Entry extends Omit<ScheduleBody, "ClientToken"> {
	Name: string;
	/** ms since 1970. */
	createdAt: number;
	changedAt: number;
}
