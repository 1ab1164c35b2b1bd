namespace Broker.Core.Metadata;

/// <summary>A topic as the metadata log has it.</summary>
public sealed class TopicState
{
    private readonly List<PartitionState> partitions = [];
    private readonly SortedDictionary<string, string> configs = new(StringComparer.Ordinal);
    private readonly TopicSettings defaults;

    internal TopicState(Guid id, string name, TopicSettings defaults)
    {
        Id = id;
        Name = name;
        this.defaults = defaults;
        Settings = defaults;
    }

    public Guid Id { get; }

    public string Name { get; }

    /// <summary>By partition number.</summary>
    public IReadOnlyList<PartitionState> Partitions => partitions;

    /// <summary>Settings made for this topic, by name in ordinal order.</summary>
    public IReadOnlyDictionary<string, string> Configs => configs;

    /// <summary>The same, with defaults filled in.</summary>
    public TopicSettings Settings { get; private set; }

    public PartitionState? Partition(int partition) =>
        (uint)partition < (uint)partitions.Count ? partitions[partition] : null;

    internal bool Put(int partition, PartitionState state)
    {
        if (partition == partitions.Count) partitions.Add(state);
        else if (Partition(partition) is null) return false;
        else partitions[partition] = state;
        return true;
    }

    internal void Configure(string name, string? value)
    {
        if (value is null) configs.Remove(name);
        else configs[name] = value;
        Settings = TopicSettings.From(configs, defaults);
    }
}
