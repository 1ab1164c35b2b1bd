using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Who leads a partition, and since which leader epoch.</summary>
public readonly record struct Leadership(int Leader, int Epoch, Guid TopicId);

/// <summary>
/// What one client knows of its cluster: brokers, their links, and the leaders of the partitions it cares for. Asks one broker after another until one answers; never forgets a newer
/// leader epoch for an older one.
/// </summary>
public sealed class ClusterMetadata
{
    private readonly IHost host;
    private readonly TaskScope scope;
    private readonly ConnectionSettings settings;
    private readonly ClientRules rules;
    private readonly Action changed;
    private readonly Dictionary<Endpoint, BrokerLink> links = [];
    private readonly SortedDictionary<int, Endpoint> brokers = [];
    private readonly Dictionary<TopicPartition, Leadership> leaders = [];
    private readonly SortedSet<string> topics = new(StringComparer.Ordinal);
    private TimeSpan notBefore, updatedAt;
    private int failures;
    private bool isWanted, isUpdating, isClosed;

    /// <param name="changed">Called when a connection or the metadata changed.</param>
    public ClusterMetadata(IHost host, TaskScope scope, ConnectionSettings settings, ClientRules rules, Action changed)
    {
        this.host = host;
        this.scope = scope;
        this.settings = settings;
        this.rules = rules;
        this.changed = () =>
        {
            Changed!.Set();
            changed();
        };
        Changed = new Signal(host.Time);
    }

    /// <summary>Set whenever a connection or the metadata changed.</summary>
    public Signal Changed { get; }

    /// <summary>Brokers by id, ascending; empty before the first answer.</summary>
    public IReadOnlyDictionary<int, Endpoint> Brokers => brokers;

    /// <summary>The broker that takes administrative requests, -1 when not known.</summary>
    public int Controller { get; private set; } = -1;

    private TimeSpan Now => host.Time.GetElapsedTime(0);

    /// <summary>The partition's leader and the way to it; null while there is none, with an update on its way.</summary>
    public (Leadership Leadership, BrokerLink Link)? LeaderOf(TopicPartition partition)
    {
        if (topics.Add(partition.Topic)) RequestUpdate();
        if (leaders.TryGetValue(partition, out var known) && brokers.TryGetValue(known.Leader, out var endpoint))
        {
            if (rules.IsMetadataOld(Now - updatedAt, settings.MetadataMaxAge)) RequestUpdate();
            return (known, LinkTo(endpoint));
        }
        RequestUpdate();
        return null;
    }

    /// <summary>Takes a leader that a broker named in its answer (KIP-951). Without its address only the next update helps.</summary>
    public void Learn(TopicPartition partition, LeaderIdAndEpoch told, IReadOnlyList<NodeEndpoint> endpoints)
    {
        if (told == new LeaderIdAndEpoch() || !leaders.TryGetValue(partition, out var known) || !rules.IsNewerLeadership(known.Epoch, told.LeaderEpoch)) return;
        foreach (var node in endpoints)
            if (node.NodeId == told.LeaderId) brokers[node.NodeId] = new Endpoint(node.Host, node.Port);
        leaders[partition] = known with { Leader = told.LeaderId, Epoch = told.LeaderEpoch };
    }

    /// <summary>Asks for metadata, soon: at most one request at a time, with a backoff between two.</summary>
    public void RequestUpdate()
    {
        isWanted = true;
        if (isUpdating || isClosed) return;
        isUpdating = true;
        scope.Start(UpdateAsync);
    }

    /// <summary>A broker to ask, the given one or any, with its connection open; null when none could be had in time.</summary>
    public async Task<BrokerLink?> AnyLinkAsync(TimeSpan deadline, NodeId? broker = null)
    {
        while (!isClosed && !rules.IsDue(Now, deadline))
        {
            if (Candidates(broker) is { Count: > 0 } candidates)
            {
                var link = LinkTo(rules.AskForMetadata(candidates, host.Random.Below(int.MaxValue)));
                if (await link.OpenAsync()) return link;
            }
            else RequestUpdate();
            await Changed.WaitAsync(Shorter(deadline - Now, settings.RetryBackoff));
        }
        return null;
    }

    /// <summary>The leader, with its connection open; null when there was none in time.</summary>
    public async Task<(Leadership Leadership, BrokerLink Link)?> FindLeaderAsync(TopicPartition partition, TimeSpan deadline)
    {
        while (!isClosed && !rules.IsDue(Now, deadline))
        {
            if (LeaderOf(partition) is { } found && await found.Link.OpenAsync()) return found;
            await Changed.WaitAsync(Shorter(deadline - Now, settings.RetryBackoff));
        }
        return null;
    }

    public void Close()
    {
        isClosed = true;
        foreach (var link in links.Values) link.Close();
    }

    public static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private async Task UpdateAsync()
    {
        await Task.Yield();
        while (isWanted && !isClosed)
        {
            await host.Time.DelayAsync(notBefore - Now);
            isWanted = false;                                          // wishes from here on are for the next round
            var answered = await AskAsync();
            failures = answered ? 1 : failures + 1;
            isWanted |= !answered;
            notBefore = Now + rules.Backoff(settings.RetryBackoff, settings.MaxRetryBackoff, failures, host.Random.NextDouble());
            changed();
        }
        isUpdating = false;
    }

    private async Task<bool> AskAsync()
    {
        var candidates = Candidates(null);
        if (candidates.Count == 0) return false;
        var link = LinkTo(rules.AskForMetadata(candidates, host.Random.Below(int.MaxValue)));
        if (!await link.OpenAsync()) return false;
        var request = new MetadataRequest { Topics = [.. topics.Select(name => new MetadataRequestTopic { Name = name })], AllowAutoTopicCreation = false };
        var reply = await link.AskAsync<MetadataRequest, MetadataResponse>(request, settings.RequestTimeout);
        if (reply.Message is not { } answer) return false;
        Apply(answer);
        return true;
    }

    /// <summary>Brokers whose links are not in their backoff; the bootstrap list while no broker is known, and again when all known ones are out of reach.</summary>
    private List<Endpoint> Candidates(NodeId? broker)
    {
        if (broker is { } wanted) return brokers.TryGetValue(wanted.Value, out var at) && LinkTo(at).MayTry ? [at] : [];
        List<Endpoint> candidates = [.. brokers.Values.Where(known => LinkTo(known).MayTry)];
        return candidates.Count > 0 ? candidates : [.. settings.Bootstrap.Where(known => LinkTo(known).MayTry)];
    }

    private BrokerLink LinkTo(Endpoint endpoint)
    {
        if (links.TryGetValue(endpoint, out var link)) return link;
        return links[endpoint] = new BrokerLink(host, settings, rules, endpoint, changed);
    }

    private void Apply(MetadataResponse answer)
    {
        updatedAt = Now;
        Controller = answer.ControllerId;
        if (answer.Brokers.Count > 0) brokers.Clear();
        foreach (var broker in answer.Brokers) brokers[broker.NodeId] = new Endpoint(broker.Host, broker.Port);
        foreach (var topic in answer.Topics)
        {
            if (topic.ErrorCode is not ErrorCode.None || topic.Name is null) continue;
            foreach (var partition in topic.Partitions) Apply(new TopicPartition(topic.Name, partition.PartitionIndex), topic.TopicId, partition);
        }
    }

    private void Apply(TopicPartition partition, Guid topicId, MetadataResponsePartition told)
    {
        var isKnown = leaders.TryGetValue(partition, out var known) && rules.IsSameTopic(known.TopicId, topicId);
        if (isKnown && !rules.AcceptsLeader(known.Epoch, told.LeaderEpoch)) return;
        leaders[partition] = new Leadership(told.LeaderId, told.LeaderEpoch, topicId);
    }
}
