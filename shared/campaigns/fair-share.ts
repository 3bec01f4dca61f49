/** One of those who share something: what it can use at most, and its weight. */
export interface Sharer {
	most: number;
	/** At least 1. */
	priority: number;
}

/**
 * What one of several has of something they share, each in proportion to its priority; what one cannot use goes to the others. Pure.
 * @returns at most `own.most`
 */
export const fairShare = (total: number, own: Sharer, others: Sharer[]): number => {
	let left = Math.max(0, total);
	let weights = own.priority + others.reduce((sum, { priority }) => sum + priority, 0);
	// Those that need least for their weight are content first.
	for (const { most, priority } of others.toSorted((a, b) => a.most / a.priority - b.most / b.priority)) {
		const part = (left * priority) / weights;
		if (most >= part) break;
		left -= Math.max(0, most);
		weights -= priority;
	}
	return Math.min(own.most, (left * own.priority) / weights);
};
