using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients.Live;

/// <summary>Somebody else's member of a group. When it commits is told to it here, as ours does; with <see cref="CommitPolicy.Automatic"/> it does so by itself, and nobody sees when.</summary>
public sealed class ExecMember : IGroupMember
{
    private readonly SortedDictionary<TopicPartition, long> reached = new(Wire.Order);
    private readonly SortedSet<TopicPartition> share = new(Wire.Order);
    private readonly ClientProcess process;
    private readonly CommitPolicy policy;
    private readonly IGroupWatcher? watcher;
    private readonly Task opened;
    private Task subscribed = Task.CompletedTask;
    private string member = "";
    private int generation = -1;
    private bool isAwaited, hasNews;

    /// <param name="start">Makes its process; what that tells without being asked goes to the given.</param>
    /// <param name="open">Opens it.</param>
    internal ExecMember(Func<Action<JsonElement>, ClientProcess> start, Func<ClientProcess, Task> open, CommitPolicy policy, IGroupWatcher? watcher)
    {
        (this.policy, this.watcher) = (policy, watcher);
        process = start(Hear);
        opened = open(process);
    }

    public void Subscribe(IReadOnlyList<string> topics) => subscribed = SubscribeAsync(topics);

    public async Task<GroupPollResult> PollAsync(TimeSpan timeout)
    {
        await subscribed;
        if (policy is CommitPolicy.AfterProcessing) await CommitReachedAsync();
        if (process.IsOver) return Result([], ErrorCode.NetworkException);
        if (!isAwaited) watcher?.Awaits();
        isAwaited = true;
        var answer = await process.DemandAsync("poll", new() { ["timeoutMs"] = (long)timeout.TotalMilliseconds }, timeout + ExecClients.Patience);
        if (answer is not { } told) return Result([], ErrorCode.NetworkException);
        var records = Wire.PollResultOf(told);
        foreach (var batch in records.Batches) (reached[batch.Partition], hasNews) = (batch.Records[^1].Offset + 1, true);
        if (policy is not CommitPolicy.BeforeProcessing || !hasNews || await CommitReachedAsync()) return Result(records.Batches, ErrorCode.None);
        foreach (var batch in records.Batches) reached[batch.Partition] = batch.Records[0].Offset;
        await process.DemandAsync("seek", new() { ["offsets"] = Wire.Of(reached.Where(one => records.Batches.Any(batch => batch.Partition == one.Key))) }, ExecClients.Patience);   // they come again, and are committed again
        return Result([], ErrorCode.None);
    }

    public async Task CloseAsync(TimeSpan timeout)
    {
        if (policy is CommitPolicy.AfterProcessing) await CommitReachedAsync();
        await process.CloseAsync();
    }

    /// <summary>kill -9.</summary>
    public void Die() => process.Dispose();

    private static GroupPollResult Result(IReadOnlyList<PartitionRecords> batches, ErrorCode error) => new(new PollResult(batches, [], []), [], [], error);

    private async Task SubscribeAsync(IReadOnlyList<string> topics)
    {
        await opened;
        await process.DemandAsync("subscribe", new() { ["topics"] = new JsonArray([.. topics.Select(static topic => JsonValue.Create(topic))]) }, ExecClients.Patience);
    }

    private async Task<bool> CommitReachedAsync()
    {
        if (!hasNews || reached.Count == 0) return true;
        var offsets = new SortedDictionary<TopicPartition, long>(reached, Wire.Order);
        watcher?.Commits(member, generation, offsets);
        var answer = await process.AskAsync("commit", new() { ["offsets"] = Wire.Of(offsets) }, ExecClients.Patience);
        var (kind, error) = answer is { } told ? (ClientProcess.KindOf(told), ClientProcess.ErrorOf(told)) : (OutcomeKind.Info, ErrorCode.RequestTimedOut);
        if (!process.IsOver) watcher?.Hears(new CommitOutcome(kind, error, member, generation, offsets));
        hasNews = kind is not OutcomeKind.Ok;
        return !hasNews;
    }

    /// <summary>Within a poll it tells what it is given and what it gives up.</summary>
    private void Hear(JsonElement line)
    {
        switch (ClientProcess.TextOf(line, "f"))
        {
            case "assigned":
                var given = Wire.OffsetsOf(line);
                share.UnionWith(given.Keys);
                (member, generation) = (ClientProcess.TextOf(line, "member"), line.TryGetProperty("generation", out var told) ? told.GetInt32() : -1);
                isAwaited = false;
                watcher?.Takes(member, generation, [.. share], given);
                break;
            case "revoked":
                foreach (var partition in Wire.PartitionsOf(line))
                {
                    share.Remove(partition);
                    reached.Remove(partition);
                }
                watcher?.GaveUp(member, generation, Wire.PartitionsOf(line));
                break;
        }
    }
}
