import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import {
	BatchGetCommand,
	GetCommand,
	type GetCommandInput,
	PutCommand,
	type PutCommandInput,
	QueryCommand,
	type QueryCommandInput,
	UpdateCommand,
	type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";

/** All a store needs of DynamoDB: the document client, or a fake of it. */
export type Db = Pick<DynamoDBDocumentClient, "send">;

export type Item = Record<string, unknown>;
export type Key = Record<string, string>;

/** A conditional write: it held, and `item` is what was asked back; or it failed, and `item` is what stands there. */
export type WriteResult<T> = { ok: true; item: T | undefined } | { ok: false; item: T | undefined };

/** Most keys of one BatchGetItem. */
const BATCH_GET_KEYS = 100;

/** Strongly consistent read of one item. */
export const getItem = async <T extends Item>(
	db: Db,
	table: string,
	key: Key,
	extra: Partial<GetCommandInput> = {},
): Promise<T | undefined> => {
	const answer = await db.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true, ...extra }));
	return answer.Item as T | undefined;
};

/** Strongly consistent reads of many items of one table, in no order; asks again for what was left unprocessed. */
export const batchGet = async <T extends Item>(db: Db, table: string, keys: Key[]): Promise<T[]> => {
	const found: T[] = [];
	for (let i = 0; i < keys.length; i += BATCH_GET_KEYS) {
		let left: Key[] = keys.slice(i, i + BATCH_GET_KEYS);
		while (left.length > 0) {
			const answer = await db.send(
				new BatchGetCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } }),
			);
			found.push(...((answer.Responses?.[table] ?? []) as T[]));
			left = (answer.UnprocessedKeys?.[table]?.Keys ?? []) as Key[];
		}
	}
	return found;
};

/** All pages of a query (or up to `limit` items). */
export const queryAll = async <T extends Item>(
	db: Db,
	input: QueryCommandInput,
	limit = Number.POSITIVE_INFINITY,
): Promise<T[]> => {
	const items: T[] = [];
	let start: QueryCommandInput["ExclusiveStartKey"];
	do {
		const answer = await db.send(new QueryCommand({ ...input, ...(start ? { ExclusiveStartKey: start } : {}) }));
		items.push(...((answer.Items ?? []) as T[]));
		start = answer.LastEvaluatedKey;
	} while (start && items.length < limit);
	return items.slice(0, limit);
};

const standing = async <T extends Item>(
	db: Db,
	table: string,
	key: Key,
	error: ConditionalCheckFailedException,
): Promise<T | undefined> =>
	// The service sends the item back; emulators may leave it out, and an absent item has none: then it is read.
	error.Item ? (unmarshall(error.Item) as T) : getItem<T>(db, table, key);

/** One conditional UpdateItem. Only a failed condition is a result; every other failure is thrown. */
export const update = async <T extends Item>(
	db: Db,
	input: Omit<UpdateCommandInput, "ReturnValuesOnConditionCheckFailure"> & { TableName: string; Key: Key },
): Promise<WriteResult<T>> => {
	try {
		const answer = await db.send(new UpdateCommand({ ...input, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }));
		return { ok: true, item: answer.Attributes as T | undefined };
	} catch (error) {
		if (!(error instanceof ConditionalCheckFailedException)) throw error;
		return { ok: false, item: await standing<T>(db, input.TableName, input.Key, error) };
	}
};

/** One conditional PutItem; `key` names the item that stands in the way where it fails. */
export const put = async <T extends Item>(
	db: Db,
	input: Omit<PutCommandInput, "ReturnValuesOnConditionCheckFailure"> & { TableName: string; Item: T },
	key: Key,
): Promise<WriteResult<T>> => {
	try {
		await db.send(new PutCommand({ ...input, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }));
		return { ok: true, item: input.Item };
	} catch (error) {
		if (!(error instanceof ConditionalCheckFailedException)) throw error;
		return { ok: false, item: await standing<T>(db, input.TableName, key, error) };
	}
};
