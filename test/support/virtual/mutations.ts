import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import type { ContactItem } from "../../../shared/store/items.ts";
import type { Attributes, Input, Statement } from "../memory-dynamo.ts";
import { matches } from "./bench.ts";
import type { Mutation } from "./control-plane.ts";

/** Weakened statements: each takes one condition of the protocol away. */

/** Leaves out names and values that no expression uses any more: the service would refuse them. */
const pruned = (input: Input): Input => {
	const text = ["ConditionExpression", "UpdateExpression"].map((member) => String(input[member] ?? "")).join(" ");
	const used = (values: object | undefined): object | undefined => {
		const left = Object.entries(values ?? {}).filter(([name]) => new RegExp(`${name}(?![A-Za-z0-9_])`).test(text));
		return left.length > 0 ? Object.fromEntries(left) : undefined;
	};
	const next: Input = {
		...input,
		ExpressionAttributeNames: used(input["ExpressionAttributeNames"]),
		ExpressionAttributeValues: used(input["ExpressionAttributeValues"]),
	};
	return next;
};

/** Replaces a part of a statement's condition; applies to statements on the table that have all the words. */
export const weakened = (table: string, words: string[], from: string, to: string, values: object = {}): Mutation => {
	const mutation: Mutation = {
		hits: 0,
		rewrite: (statement) => {
			const condition = String(statement.input["ConditionExpression"] ?? "");
			if (!condition.includes(from) || !matches(statement, table, words)) return undefined;
			mutation.hits++;
			const next = condition.replace(from, to);
			return {
				...statement,
				input: pruned({
					...statement.input,
					ConditionExpression: next,
					ExpressionAttributeValues: { ...statement.input["ExpressionAttributeValues"], ...values },
				}),
			};
		},
	};
	return mutation;
};

/** Changes whole statements; the change returns undefined for those that it leaves alone. */
export const changed = (change: NonNullable<Mutation["rewrite"]>): Mutation => {
	const mutation: Mutation = {
		hits: 0,
		rewrite: (statement, execution, dynamo) => {
			const next = change(statement, execution, dynamo);
			if (next) mutation.hits++;
			return next && !("instead" in next) ? { ...next, input: pruned(next.input) } : next;
		},
	};
	return mutation;
};

/** Changes contacts as a handler sees them, read or handed back by a failed condition. */
export const seenOtherwise = (
	test: (statement: Statement, executionId: string) => boolean,
	change: (contact: ContactItem) => boolean,
): Mutation => {
	const mutation: Mutation = {
		hits: 0,
		rewriteResult: (statement, result, execution) => {
			if (!test(statement, execution.id)) return undefined;
			if (result.ok) {
				const batch = Object.values((result.answer["Responses"] ?? {}) as Record<string, ContactItem[]>).flat();
				const item = result.answer["Item"] as ContactItem | undefined;
				for (const contact of item ? [item] : batch) if (change(contact)) mutation.hits++;
				return result;
			}
			if (!(result.error instanceof ConditionalCheckFailedException) || !result.error.Item) return undefined;
			const item = unmarshall(result.error.Item) as ContactItem;
			if (!change(item)) return undefined;
			mutation.hits++;
			return {
				ok: false,
				error: new ConditionalCheckFailedException({
					message: result.error.message,
					$metadata: {},
					Item: marshall(item as Attributes),
				}),
			};
		},
	};
	return mutation;
};
