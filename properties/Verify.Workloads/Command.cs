using System.Text.Json.Serialization;

namespace Verify.Workloads;

/// <summary>One thing a client will do, as data: drawn from a seed, kept in a story, left out by shrinking.</summary>
/// <param name="At">Since the start of the workload. Commands of one client start in order; a command does not wait for the outcome of an earlier one.</param>
/// <param name="Client">Number of the client that does it, from 0.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do")]
[JsonDerivedType(typeof(Send), "send")]
[JsonDerivedType(typeof(CreateTopic), "create-topic")]
[JsonDerivedType(typeof(DeleteTopic), "delete-topic")]
[JsonDerivedType(typeof(ListTopics), "list-topics")]
public abstract record Command(TimeSpan At, int Client)
{
    /// <summary>Sends one record.</summary>
    /// <param name="Value">Unique in its run.</param>
    /// <param name="Key">The message's own key, null for none.</param>
    /// <param name="Tombstone">It deletes its key; the value, in a header, only tells it from others.</param>
    public sealed record Send(
        TimeSpan At, int Client, int Partition, long Value, int? Key = null, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Tombstone = false) : Command(At, Client)
    {
        public override string ToString() => $"client {Client} sends{(Tombstone ? " tombstone" : "")} {Value} to partition {Partition}{(Key is { } key ? $" with key {key}" : "")}";
    }

    public sealed record CreateTopic(TimeSpan At, int Client, string Topic) : Command(At, Client)
    {
        public override string ToString() => $"client {Client} creates topic {Topic}";
    }

    public sealed record DeleteTopic(TimeSpan At, int Client, string Topic) : Command(At, Client)
    {
        public override string ToString() => $"client {Client} deletes topic {Topic}";
    }

    public sealed record ListTopics(TimeSpan At, int Client) : Command(At, Client)
    {
        public override string ToString() => $"client {Client} lists the topics";
    }
}
