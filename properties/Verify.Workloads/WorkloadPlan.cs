using System.Collections.Immutable;
using Broker.Runtime;

namespace Verify.Workloads;

/// <summary>What the clients of one run will do. Complete and serialisable: the same plan in the same world gives the same run.</summary>
/// <param name="Workload">One of <see cref="WorkloadNames"/>.</param>
/// <param name="Partitions">Of the topic under test.</param>
/// <param name="Clients">Producers, or clients of the administration.</param>
/// <param name="Readers">Independent consumers that read everything while it is written.</param>
public sealed record WorkloadPlan(string Workload, int Partitions, int Clients, int Readers, ImmutableArray<Command> Commands)
{
    /// <summary>Members of consumer groups; none where nobody subscribes.</summary>
    public ImmutableArray<MemberPlan> Members { get; init; } = [];

    /// <summary>Readers at times keep only the first of the records that they are handed, and seek back to the others.</summary>
    public bool SeeksBack { get; init; }

    /// <summary>The numbers of the groups that have members.</summary>
    public IEnumerable<int> Groups => Members.Select(static member => member.Group).Distinct().Order();

    public bool Equals(WorkloadPlan? other) =>
        other is not null && (Workload, Partitions, Clients, Readers, SeeksBack) == (other.Workload, other.Partitions, other.Clients, other.Readers, other.SeeksBack)
        && Commands.SequenceEqual(other.Commands) && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => Commands.Length;
}

/// <summary>The workloads, by the names of the command line.</summary>
public static class WorkloadNames
{
    /// <summary>Producers send to one topic; independent readers follow; everything is read again at the end.</summary>
    public const string Log = "log";

    /// <summary>Clients create, delete and list topics.</summary>
    public const string Metadata = "metadata";

    /// <summary>As <see cref="Log"/>, to a compacted topic: records of keys that live for a while, many of them tombstones.</summary>
    public const string Compaction = "compaction";

    public static IReadOnlyList<string> All { get; } = [Log, Metadata, Compaction];

    /// <summary>Whether its clients send records to the topic under test.</summary>
    public static bool SendsRecords(string workload) => workload is Log or Compaction;
}

/// <summary>Draws plans. The draw depends on the seed and the workload's length alone, never on the configuration: the cells of a comparison face the same commands.</summary>
public static class WorkloadGenerator
{
    /// <param name="length">Time in which the commands start.</param>
    public static WorkloadPlan Draw(string workload, Prng random, TimeSpan length) => workload switch
    {
        WorkloadNames.Log => DrawLog(random, length),
        WorkloadNames.Metadata => DrawMetadata(random, length),
        WorkloadNames.Compaction => DrawCompaction(random, length),
        _ => throw new InvalidOperationException($"unknown workload {workload}"),
    };

    private static WorkloadPlan DrawLog(Prng random, TimeSpan length)
    {
        var partitions = random.Between(1, 2);
        var producers = random.Between(1, 3);
        var keys = random.Chance(0.5) ? random.Between(2, 6) : 0;
        var sends = random.Between(130, 180);
        var burst = random.Chance(0.3) ? 8 : 2;                        // some seeds write in bursts, so that batches and pipelines form
        var commands = ImmutableArray.CreateBuilder<Command>(sends);
        for (var value = 1; value <= sends;)
        {
            var at = TimeSpan.FromTicks((long)(random.NextDouble() * length.Ticks));
            var (client, partition) = (random.Below(producers), random.Below(partitions));
            for (var left = random.Between(1, burst); left > 0 && value <= sends; left--, value++)
            {
                int? key = keys > 0 ? partition * keys + random.Below(keys) : null;   // a key stays in its partition
                commands.Add(new Command.Send(at, client, partition, value, key));
                at += TimeSpan.FromMilliseconds(random.Below(4));
            }
        }
        return new WorkloadPlan(WorkloadNames.Log, partitions, producers, Readers: 2, InOrder(commands));
    }

    /// <summary>A few keys at a time, each soon left as it is then for ever: only of a key that nobody writes any more does a reader see whether its last record was the last.</summary>
    private static WorkloadPlan DrawCompaction(Prng random, TimeSpan length)
    {
        var partitions = random.Between(1, 2);
        var producers = random.Between(1, 3);
        var keys = random.Between(10, 40);                             // over all of the run, in each partition
        var alive = random.Between(2, 5);
        var deletes = random.Between(20, 60) / 100.0;
        var sends = random.Between(150, 280);
        var commands = ImmutableArray.CreateBuilder<Command>(sends);
        for (var value = 1; value <= sends; value++)
        {
            var when = random.NextDouble();
            var (client, partition) = (random.Below(producers), random.Below(partitions));
            var key = partition * 1000 + (int)(when * keys) + random.Below(alive);   // a key stays in its partition
            commands.Add(new Command.Send(TimeSpan.FromTicks((long)(when * length.Ticks)), client, partition, value, key, random.Chance(deletes)));
        }
        return new WorkloadPlan(WorkloadNames.Compaction, partitions, producers, Readers: 2, InOrder(commands));
    }

    private static WorkloadPlan DrawMetadata(Prng random, TimeSpan length)
    {
        var clients = random.Between(1, 3);
        var names = random.Between(60, 120);                           // many: of a name with one unknown outcome nothing more can be claimed
        var commands = ImmutableArray.CreateBuilder<Command>();
        var operations = random.Between(240, 320);
        for (var i = 0; i < operations; i++)
        {
            var at = TimeSpan.FromTicks((long)(random.NextDouble() * length.Ticks));
            var (client, topic) = (random.Below(clients), $"m{random.Below(names)}");
            commands.Add(random.Below(10) switch
            {
                < 4 => new Command.CreateTopic(at, client, topic),
                < 6 => new Command.DeleteTopic(at, client, topic),
                _ => new Command.ListTopics(at, client),
            });
        }
        return new WorkloadPlan(WorkloadNames.Metadata, Partitions: 1, clients, Readers: 0, InOrder(commands));
    }

    private static ImmutableArray<Command> InOrder(ImmutableArray<Command>.Builder commands)
    {
        var sorted = commands.Select((command, index) => (command, index)).OrderBy(pair => pair.command.At).ThenBy(pair => pair.index);
        return [.. sorted.Select(pair => pair.command)];
    }
}
