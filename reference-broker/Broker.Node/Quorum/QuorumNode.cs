using System.Buffers.Binary;
using Broker.Core.Quorum;
using Broker.Node.Rpc;
using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Node.Quorum;

/// <summary>
/// One voter of the metadata quorum: the machine's shell. Inputs wait in one queue; each is stepped, and its effects carried out in
/// order, before the next. Source: KIP-595, whose raft client is one thread as well.
/// </summary>
/// <remarks>
/// Failures (a dead disk, a broken invariant) go to the scope: the node must stop then. <see cref="BecameLeader"/>, <see cref="Resigned"/>
/// and <see cref="Committed"/> are called between two effects; they may call back, but must not block.
/// </remarks>
public sealed class QuorumNode
{
    private readonly Queue<QuorumInput> inputs = [];
    private readonly Dictionary<long, TaskCompletionSource<Given>> askers = [];
    private readonly Dictionary<long, TaskCompletionSource<long?>> proposers = [];
    private readonly SortedDictionary<NodeId, Peer> peers = [];
    private readonly IHost host;
    private readonly QuorumNodeSettings settings;
    private readonly QuorumRules rules;
    private readonly TaskScope scope;
    private readonly QuorumStateFile stateFile;
    private readonly long startedAt;
    private readonly ITimer timer;
    private QuorumMachine machine = null!;                                 // both from StartAsync on
    private MetadataLog log = null!;
    private TimeSpan wakesAt = TimeSpan.MaxValue;
    private bool working = true;                                           // until started
    private long lastNumber;

    /// <param name="scope">Whose work this is; gets the failures.</param>
    public QuorumNode(IHost host, QuorumNodeSettings settings, QuorumRules rules, TaskScope scope)
    {
        this.host = host;
        this.settings = settings;
        this.rules = rules;
        this.scope = scope;
        stateFile = new QuorumStateFile(host.Disk, settings.LogDirectory);
        startedAt = host.Time.GetTimestamp();
        timer = host.Time.CreateTimer(static node => ((QuorumNode)node!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        foreach (var voter in settings.Voters)
            if (voter.Id != settings.Id) peers.Add(voter.Id, new Peer(Connection(voter), Connection(voter)));
    }

    /// <summary>This voter won an epoch. Everything committed before is known once <see cref="Committed"/> passes the epoch's start offset.</summary>
    public event Action<QuorumEffect.BecameLeader>? BecameLeader;

    /// <summary>This voter leads no more. Open proposals have ended, or end now, with null.</summary>
    public event Action<QuorumEffect.Resigned>? Resigned;

    /// <summary>Entries below this offset are committed, on leaders and followers alike: read them with <see cref="ReadCommitted"/>.</summary>
    public event Action<long>? Committed;

    /// <summary>Between <see cref="BecameLeader"/> and <see cref="Resigned"/>.</summary>
    public bool IsLeader { get; private set; }

    public int Epoch => machine.Epoch;

    /// <summary>Of <see cref="Epoch"/>; <see cref="NodeId.None"/> while unknown.</summary>
    public NodeId Leader => machine.Leader;

    /// <summary>Exclusive. 0 after a start, until a leader has said more. Unlike the machine's it waits for the writes that precede it.</summary>
    public long HighWatermark { get; private set; }

    /// <summary>Of the log as it is being written, committed or not; exclusive.</summary>
    public long EndOffset => machine.EndOffset;

    /// <summary>Of the last entry, 0 if there is none.</summary>
    public int LastEpoch => machine.LastEpoch;

    /// <summary>Under which the entry at this offset was first stored.</summary>
    public int EpochAt(long offset) => machine.EpochAt(offset);

    /// <summary>Bytes of a torn tail that the start has cut off.</summary>
    public long DroppedBytes => log.DroppedBytes;

    private TimeSpan Now => host.Time.GetElapsedTime(startedAt);

    /// <summary>Recovers the log and takes part from now on.</summary>
    public async Task StartAsync()
    {
        var state = stateFile.Load();
        log = MetadataLog.Open(host.Disk, settings.LogDirectory, rules);
        machine = new QuorumMachine(settings.Id, NodeSet.Of(settings.Voters.Select(v => v.Id.Value)), settings.Times, rules, host.Random.Split(QuorumStream), state, log.View());
        await CarryOutAsync(machine.Start(Now));
        await WorkAsync();
    }

    /// <summary>Stores a batch of metadata records, when this voter leads.</summary>
    /// <param name="batch">One record batch with base offset 0; offset and epoch are stamped here.</param>
    /// <returns>The offset of its first record once it is committed. Null when it was not taken, or leadership was lost before: then it may still become committed.</returns>
    public Task<long?> ProposeAsync(ReadOnlyMemory<byte> batch)
    {
        Invariant.Holds(RecordBatch.TryRead(batch, out var proposed, out _));
        Invariant.Holds(proposed.Validate() == ErrorCode.None);
        var proposer = new TaskCompletionSource<long?>();
        proposers.Add(++lastNumber, proposer);
        Take(new QuorumInput.Propose(lastNumber, proposed.RecordCount, proposed.Bytes));
        return proposer.Task;
    }

    /// <summary>Whole committed batches from a batch border on, control batches included; empty at the high watermark.</summary>
    /// <param name="maxBytes">Passed only by a first batch that is larger alone.</param>
    public ReadOnlyMemory<byte> ReadCommitted(long offset, int maxBytes = int.MaxValue) => log.Read(offset, HighWatermark, maxBytes);

    /// <summary>Steps down, if leading, and tells the others who should succeed. Nothing more is needed before a shutdown.</summary>
    public void Resign() => Take(new QuorumInput.Resign());

    /// <summary>Serves Vote, BeginQuorumEpoch, EndQuorumEpoch and, for the metadata partition, Fetch.</summary>
    public void Serve(RequestRouter router)
    {
        router.On<VoteRequest, VoteResponse>(async (request, _) => QuorumWire.Write((QuorumAnswer.Vote?)await AskAsync(QuorumWire.Read(request))));
        router.On<BeginQuorumEpochRequest, BeginQuorumEpochResponse>(async (request, _) => QuorumWire.Write((QuorumAnswer.BeginEpoch?)await AskAsync(QuorumWire.Read(request))));
        router.On<EndQuorumEpochRequest, EndQuorumEpochResponse>(async (request, _) => QuorumWire.Write((QuorumAnswer.EndEpoch?)await AskAsync(QuorumWire.Read(request))));
        router.On<FetchRequest, FetchResponse>(async (request, _) => await FetchAsync(request));
    }

    /// <summary>A fetch of the metadata partition, by a voter or an observer. May wait as long as the request allows.</summary>
    public async ValueTask<FetchResponse> FetchAsync(FetchRequest request)
    {
        if (QuorumWire.Read(request) is not { } fetch) return QuorumWire.Write((QuorumAnswer.Fetch?)null, default);
        var given = await AskMachine(fetch);
        return QuorumWire.Write((QuorumAnswer.Fetch)given.Answer, given.Records);
    }

    public void AssertInvariants() => machine.AssertInvariants();

    // The queue

    private const ulong QuorumStream = 0x9A;                               // a label of its own among the node's random streams

    private readonly record struct Given(QuorumAnswer Answer, ReadOnlyMemory<byte> Records);

    /// <summary>Fetches wait at the leader, so elections have a connection of their own.</summary>
    private sealed record Peer(PeerConnection Elections, PeerConnection Fetches);

    private PeerConnection Connection(QuorumVoter voter) => new(host, voter.Endpoint, settings.Times.RequestTimeout);

    private void Take(QuorumInput input)
    {
        inputs.Enqueue(input);
        if (working) return;
        working = true;
        scope.Start(WorkAsync);
    }

    private async Task WorkAsync()
    {
        while (inputs.TryDequeue(out var input)) await CarryOutAsync(machine.Step(input, Now));
        working = false;
        WakeAt(machine.NextWake);
    }

    /// <summary>An early wake-up does no harm, so the timer is set anew only for an earlier one.</summary>
    private void WakeAt(TimeSpan wake)
    {
        if (wake.CompareTo(wakesAt) >= 0) return;
        wakesAt = wake;
        var delay = wake - Now;
        timer.Change(delay.Ticks > 0 ? delay : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        wakesAt = TimeSpan.MaxValue;
        Take(QuorumInput.Tick.Now);
    }

    private async ValueTask<QuorumAnswer?> AskAsync(QuorumRequest? request) => request is null ? null : (await AskMachine(request)).Answer;

    private Task<Given> AskMachine(QuorumRequest request)
    {
        var asker = new TaskCompletionSource<Given>();
        askers.Add(++lastNumber, asker);
        Take(new QuorumInput.Asked(lastNumber, request));
        return asker.Task;
    }

    // The effects

    private async ValueTask CarryOutAsync(IReadOnlyList<QuorumEffect> effects)
    {
        for (var i = 0; i < effects.Count; i++)
        {
            switch (effects[i])
            {
                case QuorumEffect.Persist persist: await stateFile.SaveAsync(persist.State); break;
                case QuorumEffect.Flush: await log.FlushAsync(); break;
                case QuorumEffect.Append append: Append(append); break;
                case QuorumEffect.Truncate cut: log.Truncate(cut.Offset); break;
                case QuorumEffect.Send send: scope.Start(() => SendAsync(send)); break;
                default: Tell(effects[i]); break;
            }
        }
    }

    private void Append(QuorumEffect.Append append)
    {
        foreach (var batch in append.Batches)
        {
            var stored = batch.Bytes.IsEmpty ? LeaderChangeBatch() : batch.Bytes.ToArray();
            RecordBatch.Stamp(stored, batch.BaseOffset, batch.Epoch);
            log.Append(stored);
        }
    }

    private void Tell(QuorumEffect effect)
    {
        switch (effect)
        {
            case QuorumEffect.Answer answer: Give(answer); break;
            case QuorumEffect.ProposalCommitted it: Conclude(it.ReplyTo, it.Offset); break;
            case QuorumEffect.ProposalLost it: Conclude(it.ReplyTo, null); break;
            case QuorumEffect.BecameLeader won:
                IsLeader = true;
                host.Observe(new Observation(ObservationKind.QuorumLeader, host.Id, Epoch: won.Epoch, Offset: machine.EndOffset));
                BecameLeader?.Invoke(won);
                break;
            case QuorumEffect.Resigned lost:
                IsLeader = false;
                Resigned?.Invoke(lost);
                break;
            case QuorumEffect.CommitAdvanced commit:
                HighWatermark = commit.HighWatermark;
                if (machine.Role == QuorumRole.Leader) host.Observe(new Observation(ObservationKind.MetadataCommitted, host.Id, Epoch: machine.Epoch, Offset: commit.HighWatermark));
                Committed?.Invoke(commit.HighWatermark);
                break;
            case QuorumEffect.Following: break;
            default: throw new InvalidOperationException($"no such effect: {effect.GetType().Name}");
        }
    }

    /// <summary>The records are read now: by the time the asker runs, the log may have been cut.</summary>
    private void Give(QuorumEffect.Answer effect)
    {
        var records = effect.Message is QuorumAnswer.Fetch fetch ? log.Read(fetch.FromOffset, fetch.ToOffset, settings.FetchMaxBytes) : default;
        if (effect.Message is QuorumAnswer.Vote { Granted: true }) host.Observe(new Observation(ObservationKind.QuorumVote, host.Id, Epoch: effect.Message.Epoch, Other: machine.VotedFor.Value));
        askers.Remove(effect.ReplyTo, out var asker);
        asker!.TrySetResult(new Given(effect.Message, records));
    }

    private void Conclude(long number, long? offset)
    {
        proposers.Remove(number, out var proposer);
        if (SynchronizationContext.Current is { } loop) loop.Post(_ => proposer!.TrySetResult(offset), null);
        else proposer!.TrySetResult(offset);
    }

    private async Task SendAsync(QuorumEffect.Send send)
    {
        var peer = peers[send.To];
        var times = settings.Times;
        var answer = send.Request switch
        {
            QuorumRequest.Vote vote => QuorumWire.Read(await peer.Elections.AskAsync<VoteRequest, VoteResponse>(QuorumWire.Write(vote), QuorumWire.VoteVersion, times.RequestTimeout)),
            QuorumRequest.BeginEpoch begin => QuorumWire.Read(await peer.Elections.AskAsync<BeginQuorumEpochRequest, BeginQuorumEpochResponse>(QuorumWire.Write(begin), QuorumWire.BeginVersion, times.RequestTimeout)),
            QuorumRequest.EndEpoch end => QuorumWire.Read(await peer.Elections.AskAsync<EndQuorumEpochRequest, EndQuorumEpochResponse>(QuorumWire.Write(end), QuorumWire.EndVersion, times.RequestTimeout)),
            QuorumRequest.Fetch fetch => QuorumWire.Read(await peer.Fetches.AskAsync<FetchRequest, FetchResponse>(QuorumWire.Write(fetch, settings.FetchMaxBytes), QuorumWire.FetchVersion, fetch.MaxWait + times.RequestTimeout)),
            _ => throw new InvalidOperationException($"no such request: {send.Request.GetType().Name}"),
        };
        Take(answer is null ? new QuorumInput.Unanswered(send.To, send.RequestId) : new QuorumInput.Answered(send.To, send.RequestId, answer));
    }

    /// <summary>The control record that opens an epoch: LeaderChangeMessage v0, naming this leader and the voters. Source: KIP-595.</summary>
    private byte[] LeaderChangeBatch()
    {
        var key = new byte[4];
        BinaryPrimitives.WriteInt16BigEndian(key.AsSpan(2), 2);            // version 0, type 2: leader change
        var value = new byte[7 + 5 * settings.Voters.Count + 2];
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(2), settings.Id.Value);
        value[6] = (byte)(settings.Voters.Count + 1);                      // compact arrays count one more than they hold
        for (var i = 0; i < settings.Voters.Count; i++) BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(7 + 5 * i), settings.Voters[i].Id.Value);
        value[^2] = 1;                                                     // granting voters: not told
        return new RecordBatchBuilder { IsControl = true }.Append(host.Time.GetUtcNow().ToUnixTimeMilliseconds(), key, value).ToArray();
    }
}
