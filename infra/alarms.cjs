/**
 * Alarms, made from the list of functions so that none is left out. Each goes to the topic `AlarmsTopic`: subscribe to it.
 * (CommonJS: `serverless` loads it with require.)
 */

/** Queues whose dead letters mean work that was given up. */
const QUEUES = ["Imports", "Sweeps", "Recovery"];
const MINUTE = 60;

const alarm = (description, metric, rule) => ({
	Type: "AWS::CloudWatch::Alarm",
	Properties: {
		AlarmDescription: description,
		AlarmActions: [{ Ref: "AlarmsTopic" }],
		OKActions: [{ Ref: "AlarmsTopic" }],
		Statistic: "Sum",
		Period: MINUTE,
		EvaluationPeriods: 1,
		Threshold: 0,
		ComparisonOperator: "GreaterThanThreshold",
		TreatMissingData: "notBreaching",
		...metric,
		...rule,
	},
});

const lambdaMetric = (service, stage, name, MetricName) => ({
	Namespace: "AWS/Lambda",
	MetricName,
	Dimensions: [{ Name: "FunctionName", Value: `${service}-${stage}-${name}` }],
});

const pascal = (name) => name.replace(/(^|-)([a-z])/g, (_, _dash, letter) => letter.toUpperCase());

module.exports = async ({ resolveConfigurationProperty, resolveVariable }) => {
	const service = await resolveConfigurationProperty(["service"]);
	const functions = Object.keys(await resolveConfigurationProperty(["functions"]));
	const stage = await resolveVariable("sls:stage");
	const resources = {
		AlarmsTopic: { Type: "AWS::SNS::Topic", Properties: { TopicName: `${service}-${stage}-alarms` } },
	};
	for (const name of functions) {
		resources[`${pascal(name)}ErrorsAlarm`] = alarm(
			`${name} failed: see its log group.`,
			lambdaMetric(service, stage, name, "Errors"),
			// One failed invocation is repeated by its caller; failures in three of five minutes are not passing.
			{ EvaluationPeriods: 5, DatapointsToAlarm: 3 },
		);
		resources[`${pascal(name)}ThrottlesAlarm`] = alarm(
			`${name} was refused an execution: the account's Lambda concurrency is used up (docs/limits.md).`,
			lambdaMetric(service, stage, name, "Throttles"),
			{ EvaluationPeriods: 5, DatapointsToAlarm: 3 },
		);
	}
	resources.TickMissingAlarm = alarm(
		"The minute's tick does not run: dead hosts are not recovered and campaigns do not complete.",
		lambdaMetric(service, stage, "tick-minute", "Invocations"),
		{
			Threshold: 1,
			ComparisonOperator: "LessThanThreshold",
			EvaluationPeriods: 3,
			TreatMissingData: "breaching",
		},
	);
	for (const queue of QUEUES) {
		resources[`${queue}DeadLettersAlarm`] = alarm(
			`A message of the ${queue.toLowerCase()} queue was given up: read it in the dead-letter queue, mend the cause, redrive.`,
			{
				Namespace: "AWS/SQS",
				MetricName: "ApproximateNumberOfMessagesVisible",
				Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": [`${queue}DeadLetters`, "QueueName"] } }],
			},
			{ Statistic: "Maximum" },
		);
	}
	resources.RecoveryLateAlarm = alarm(
		"Messages of the recovery queue wait: what dead hosts held is recovered late.",
		{
			Namespace: "AWS/SQS",
			MetricName: "ApproximateAgeOfOldestMessage",
			Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": ["RecoveryQueue", "QueueName"] } }],
		},
		{ Statistic: "Maximum", Threshold: 120, EvaluationPeriods: 2 },
	);
	resources.ApiErrorsAlarm = alarm(
		"The API answered 5xx.",
		{
			Namespace: "AWS/ApiGateway",
			MetricName: "5xx",
			Dimensions: [{ Name: "ApiId", Value: { Ref: "HttpApi" } }],
		},
		{ EvaluationPeriods: 5, DatapointsToAlarm: 3 },
	);
	return {
		Resources: resources,
		Outputs: {
			AlarmsTopicArn: { Description: "Subscribe to hear of faults", Value: { Ref: "AlarmsTopic" } },
		},
	};
};
