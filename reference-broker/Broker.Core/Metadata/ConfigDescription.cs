using Broker.Protocol;

namespace Broker.Core.Metadata;

/// <summary>Tells settings as Kafka does: the value, where it comes from, and everything that it hides. Source: Kafka's ConfigHelper.</summary>
/// <remarks>min.insync.replicas counts as set for all brokers together, as it does in a Kafka cluster with eligible leader replicas (KIP-966). Nothing documents itself.</remarks>
/// <param name="defaults">Topic settings of the cluster.</param>
/// <param name="configured">What this broker was started with, under Kafka's names.</param>
public sealed class ConfigDescription(TopicSettings defaults, IReadOnlyDictionary<string, string> configured)
{
    /// <param name="wanted">Names; null or empty: all.</param>
    public List<DescribeConfigsResponse.DescribeConfigsResourceResult> OfTopic(TopicState topic, List<string>? wanted, bool withSynonyms)
    {
        List<DescribeConfigsResponse.DescribeConfigsResourceResult> described = [];
        foreach (var name in TopicConfigs.Names)
        {
            if (!IsWanted(name, wanted)) continue;
            List<DescribeConfigsResponse.DescribeConfigsSynonym> synonyms = TopicConfigs.BrokerNameOf(name) is { } broker ? Synonyms(broker) : [];
            var value = TopicConfigs.DefaultOf(name, defaults);
            if (topic.Configs.TryGetValue(name, out var own)) synonyms.Insert(0, Synonym(name, value = own, ConfigSource.Topic));
            described.Add(Describe(name, value, TopicConfigs.TypeOf(name), readOnly: false, synonyms, withSynonyms));
        }
        return described;
    }

    /// <summary>The settings that this broker knows, whoever set them. None can be altered while it runs.</summary>
    public List<DescribeConfigsResponse.DescribeConfigsResourceResult> OfBroker(List<string>? wanted, bool withSynonyms)
    {
        List<DescribeConfigsResponse.DescribeConfigsResourceResult> described = [];
        foreach (var name in BrokerConfigs.Names)
        {
            if (!IsWanted(name, wanted)) continue;
            var synonyms = Synonyms(name);
            described.Add(Describe(name, synonyms.Count > 0 ? synonyms[0].Value : null, BrokerConfigs.TypeOf(name), readOnly: true, synonyms, withSynonyms));
        }
        return described;
    }

    /// <summary>What holds for all brokers that say nothing themselves.</summary>
    public List<DescribeConfigsResponse.DescribeConfigsResourceResult> OfAllBrokers(List<string>? wanted, bool withSynonyms)
    {
        const string name = TopicConfigs.MinInSyncReplicas;
        if (!IsWanted(name, wanted)) return [];
        var value = TopicConfigs.DefaultOf(name, defaults)!;
        return [Describe(name, value, BrokerConfigs.TypeOf(name), readOnly: true, [Synonym(name, value, ConfigSource.BrokersDefault)], withSynonyms)];
    }

    /// <summary>Who says something about a broker's setting, the strongest first. Where only a coarser unit is set, Kafka names nobody.</summary>
    private List<DescribeConfigsResponse.DescribeConfigsSynonym> Synonyms(string name)
    {
        List<DescribeConfigsResponse.DescribeConfigsSynonym> synonyms = [];
        var spellings = BrokerConfigs.Spellings(name);
        if (name is TopicConfigs.MinInSyncReplicas) synonyms.Add(Synonym(name, TopicConfigs.DefaultOf(name, defaults)!, ConfigSource.BrokersDefault));
        foreach (var spelling in spellings)
            if (Static(spelling) is { } given) synonyms.Add(Synonym(spelling, given, ConfigSource.StaticBroker));
        foreach (var spelling in spellings)
            if (BrokerConfigs.DefaultOf(spelling) is { } given) synonyms.Add(Synonym(spelling, given, ConfigSource.Default));
        var own = synonyms.FindIndex(synonym => synonym.Name == name);
        return own < 0 ? [] : synonyms[own..];
    }

    /// <summary>What the broker was started with: as text, or where its topics' defaults are not Kafka's.</summary>
    private string? Static(string name)
    {
        if (configured.TryGetValue(name, out var text)) return text;
        if (BrokerConfigs.Spellings(name).Any(configured.ContainsKey) || TopicConfigs.Names.FirstOrDefault(topic => TopicConfigs.BrokerNameOf(topic) == name) is not { } topic) return null;
        var value = TopicConfigs.DefaultOf(topic, defaults);
        return value == TopicConfigs.DefaultOf(topic, TopicSettings.KafkaDefaults) ? null : value;
    }

    private static bool IsWanted(string name, List<string>? wanted) => wanted is null or { Count: 0 } || wanted.Contains(name);

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(
        string name, string? value, ConfigType type, bool readOnly, List<DescribeConfigsResponse.DescribeConfigsSynonym> synonyms, bool withSynonyms) => new()
        {
            Name = name,
            Value = value,
            ReadOnly = readOnly,
            ConfigSource = synonyms.Count > 0 ? synonyms[0].Source : (sbyte)ConfigSource.Default,
            ConfigType = (sbyte)type,
            Synonyms = withSynonyms ? synonyms : [],
            Documentation = null,
        };

    private static DescribeConfigsResponse.DescribeConfigsSynonym Synonym(string name, string value, ConfigSource source) => new() { Name = name, Value = value, Source = (sbyte)source };
}
