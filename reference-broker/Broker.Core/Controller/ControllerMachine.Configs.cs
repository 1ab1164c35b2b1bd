using Broker.Core.Metadata;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>Settings of topics are changed while they are in use (KIP-339, KIP-133).</summary>
public sealed partial class ControllerMachine
{
    private const sbyte TopicResource = 2;
    private const sbyte SetOperation = 0, DeleteOperation = 1, AppendOperation = 2, SubtractOperation = 3;

    /// <summary>
    /// Topics only. Each resource is changed as a whole or not at all. Errors, for each: INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION, INVALID_CONFIG, and INVALID_REQUEST for
    /// other resources, one given twice, settings without a value and unknown operations. A setting that nobody knows can be given up: it is not there afterwards.
    /// </summary>
    public Decision<IncrementalAlterConfigsResponse> IncrementalAlterConfigs(IncrementalAlterConfigsRequest request) =>
        Decide(new IncrementalAlterConfigsResponse { Responses = Alter(request.Resources, request.ValidateOnly) });

    /// <summary>
    /// Each topic has just the settings given afterwards: another one that it had goes, and one that stays as it was is no change. Errors as in <see cref="IncrementalAlterConfigs"/>.
    /// Source: KIP-133.
    /// </summary>
    public Decision<AlterConfigsResponse> AlterConfigs(AlterConfigsRequest request) =>
        Decide(new AlterConfigsResponse { Responses = Alter([.. request.Resources.Select(Changes)], request.ValidateOnly) });

    private IncrementalAlterConfigsRequest.AlterConfigsResource Changes(AlterConfigsRequest.AlterConfigsResource resource)
    {
        var now = resource.ResourceType is TopicResource && image.Topic(resource.ResourceName) is { } topic ? topic.Configs : null;
        var gone = (now?.Keys ?? []).Except(resource.Configs.Select(static config => config.Name)).Order(StringComparer.Ordinal);
        var twice = GivenTwice(resource.Configs.Select(static config => config.Name));
        var given = resource.Configs.Where(config => config.Value is null || now?.GetValueOrDefault(config.Name) != config.Value || twice.Contains(config.Name));
        return new()
        {
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
            Configs =
            [
                .. gone.Select(static name => new IncrementalAlterConfigsRequest.AlterableConfig { Name = name, ConfigOperation = DeleteOperation }),
                .. given.Select(static config => new IncrementalAlterConfigsRequest.AlterableConfig { Name = config.Name, ConfigOperation = SetOperation, Value = config.Value }),
            ],
        };
    }

    private List<IncrementalAlterConfigsResponse.AlterConfigsResourceResponse> Alter(List<IncrementalAlterConfigsRequest.AlterConfigsResource> resources, bool validateOnly)
    {
        var answers = new List<IncrementalAlterConfigsResponse.AlterConfigsResourceResponse>();
        var twice = GivenTwice(resources.Select(static resource => (resource.ResourceType, resource.ResourceName)));
        foreach (var resource in resources)
        {
            var refusal = twice.Contains((resource.ResourceType, resource.ResourceName)) ? new Refusal(ErrorCode.InvalidRequest, "Each resource must appear at most once.") : Alter(resource, validateOnly);
            answers.Add(new()
            {
                ResourceType = resource.ResourceType,
                ResourceName = resource.ResourceName,
                ErrorCode = refusal?.Error ?? ErrorCode.None,
                ErrorMessage = refusal?.Reason,
            });
        }
        return answers;
    }

    private Refusal? Alter(IncrementalAlterConfigsRequest.AlterConfigsResource resource, bool validateOnly)
    {
        if (resource.ResourceType is not TopicResource) return new Refusal(ErrorCode.InvalidRequest, "Only topics have settings that can be altered here.");
        if (TopicNames.Refuse(resource.ResourceName) is { } badName) return new Refusal(ErrorCode.InvalidTopicException, badName);
        if (image.Topic(resource.ResourceName) is not { } topic)
            return new Refusal(ErrorCode.UnknownTopicOrPartition, $"The topic '{resource.ResourceName}' does not exist.");

        var changes = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var config in resource.Configs)
        {
            if (changes.ContainsKey(config.Name)) return new Refusal(ErrorCode.InvalidRequest, $"The setting {config.Name} appears twice.");
            if (NewValue(topic, config, out var value) is { } refusal) return refusal;
            if (TopicConfigs.IsKnown(config.Name)) changes.Add(config.Name, value);
        }
        if (!validateOnly) Configure(topic, changes);
        return null;
    }

    private Refusal? NewValue(TopicState topic, IncrementalAlterConfigsRequest.AlterableConfig config, out string? value)
    {
        value = config.ConfigOperation is DeleteOperation ? null : config.Value;
        switch (config.ConfigOperation)
        {
            case DeleteOperation:
                return null;
            case SetOperation or AppendOperation or SubtractOperation when config.Value is null:
                return new Refusal(ErrorCode.InvalidRequest, $"Null value not supported for : {config.Name}");
            case SetOperation:
                break;
            case AppendOperation or SubtractOperation when TopicConfigs.IsList(config.Name) && config.Value is { } words:
                var now = (topic.Configs.GetValueOrDefault(config.Name) ?? TopicConfigs.DefaultOf(config.Name, image.Defaults) ?? "")
                    .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                var given = words.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                value = string.Join(',', config.ConfigOperation is AppendOperation ? now.Union(given) : now.Except(given));
                break;
            case AppendOperation or SubtractOperation:
                return new Refusal(ErrorCode.InvalidConfig, $"Can't append to or subtract from the setting {config.Name}: it is no list.");
            default:
                return new Refusal(ErrorCode.InvalidRequest, $"Unknown operation {config.ConfigOperation}.");
        }
        return TopicConfigs.Refuse(config.Name, value) is { } reason ? new Refusal(ErrorCode.InvalidConfig, reason) : null;
    }

    private void Configure(TopicState topic, SortedDictionary<string, string?> changes)
    {
        foreach (var (name, value) in changes) Append(new MetadataRecord.TopicConfig(topic.Id, name, value));
        if (!changes.ContainsKey(TopicConfigs.MinInSyncReplicas)) return;

        for (var partition = 0; partition < topic.Partitions.Count; partition++)
        {
            var before = topic.Partitions[partition];
            var survives = NodeSet.Of(before.Elr.Ids().Where(rules.Election.EligibilitySurvivesMinIsrChange));
            var after = before with { Elr = survives, LastKnownLeader = PartitionState.NoLeader };
            if (after.Equals(before)) continue;
            after = after with { PartitionEpoch = rules.Election.NextPartitionEpoch(before.PartitionEpoch) };
            Append(new MetadataRecord.PartitionChange(topic.Id, partition, after));
        }
    }
}
