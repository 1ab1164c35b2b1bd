using Broker.Runtime;

namespace Broker.Core.Quorum;

/// <summary>
/// One voter of the metadata quorum: pull-based Raft as a pure step machine. An input and the time go in, effects come out; it never
/// waits, reads no clock and touches no disk. Sources: Raft (2014); KIP-595.
/// </summary>
/// <remarks>
/// One input at a time: the shell carries out the effects of a step in order, each to its end, before it makes the next step. So whatever
/// the machine has asked to be persisted or flushed is durable when it speaks again, and a crash in between loses the machine too.
/// Decisions are <see cref="QuorumRules"/>; this class keeps the books.
/// </remarks>
public sealed partial class QuorumMachine
{
    private static readonly IReadOnlyList<QuorumEffect> Nothing = [];

    private readonly NodeSet voters;
    private readonly NodeId[] others;
    private readonly QuorumSettings settings;
    private readonly QuorumRules rules;
    private readonly Prng random;
    private readonly QuorumLog log;
    private readonly Dictionary<NodeId, TimeSpan> retryAt = [];            // per voter: when to ask again what it has not answered
    private List<QuorumEffect>? effects;
    private QuorumState persisted;
    private TimeSpan deadline;                                             // next candidacy; unused while leading
    private long lastRequestId;

    /// <param name="id">This voter; one of <paramref name="voters"/>.</param>
    /// <param name="voters">The static voter set.</param>
    /// <param name="state">As read from disk.</param>
    /// <param name="log">As recovered from disk. The machine owns it from now on.</param>
    public QuorumMachine(NodeId id, NodeSet voters, QuorumSettings settings, QuorumRules rules, Prng random, QuorumState state, QuorumLog log)
    {
        Invariant.Holds(voters.Contains(id.Value));
        Id = id;
        this.voters = voters;
        this.settings = settings;
        this.rules = rules;
        this.random = random;
        this.log = log;
        persisted = state;
        Epoch = state.Epoch;
        VotedFor = state.VotedFor;
        others = [.. voters.Without(id.Value).Ids().Select(v => new NodeId(v))];
        foreach (var voter in others) retryAt[voter] = TimeSpan.Zero;
    }

    public NodeId Id { get; }

    public int Epoch { get; private set; }

    public NodeId VotedFor { get; private set; }

    /// <summary>The leader of <see cref="Epoch"/> as far as known.</summary>
    public NodeId Leader { get; private set; } = NodeId.None;

    public QuorumRole Role { get; private set; } = QuorumRole.Unattached;

    /// <summary>Entries below are known to be committed. Forgotten at a restart.</summary>
    public long HighWatermark { get; private set; }

    public long EndOffset => log.EndOffset;

    public int LastEpoch => log.LastEpoch;

    public int EpochAt(long offset) => log.EpochAt(offset);

    /// <summary>When the machine wants its next <see cref="QuorumInput.Tick"/>.</summary>
    public TimeSpan NextWake => Role switch
    {
        QuorumRole.Leader => WakesOfLeader().Min(),
        QuorumRole.Follower => new[] { deadline, fetchAgainAt }.Min(),
        QuorumRole.Candidate or QuorumRole.Resigned => unheard.Select(v => retryAt[v]).Append(deadline).Min(),
        _ => deadline,
    };

    /// <summary>The first step after a start: makes durable what was found, and takes the place the persisted state allows.</summary>
    public IReadOnlyList<QuorumEffect> Start(TimeSpan now)
    {
        foreach (var step in rules.StartSteps())
        {
            if (step == StartStep.Persist) Emit(new QuorumEffect.Persist(persisted));
            else FlushLog();
        }
        WaitForElection(now);
        Role = rules.RoleAfterRestart(persisted.Leader, Id);
        if (Role == QuorumRole.Follower) Follow(Epoch, persisted.Leader, now);
        return TakeEffects();
    }

    /// <summary>One input in, effects out.</summary>
    /// <param name="now">Monotonic time since any fixed moment; never goes back.</param>
    public IReadOnlyList<QuorumEffect> Step(QuorumInput input, TimeSpan now)
    {
        switch (input)
        {
            case QuorumInput.Tick: OnTick(now); break;
            case QuorumInput.Asked asked: OnAsked(asked.ReplyTo, asked.Request, now); break;
            case QuorumInput.Answered answered: OnAnswered(answered, now); break;
            case QuorumInput.Unanswered failed: OnUnanswered(failed, now); break;
            case QuorumInput.Propose proposal: OnPropose(proposal); break;
            case QuorumInput.Resign: if (Role == QuorumRole.Leader) Resign(now); break;
            default: throw new InvalidOperationException($"no such input: {input.GetType().Name}");
        }
        return TakeEffects();
    }

    /// <summary>What must hold between any two steps.</summary>
    public void AssertInvariants()
    {
        log.AssertInvariants();
        Invariant.Holds(HighWatermark <= log.EndOffset);
        Invariant.Holds(log.LastEpoch <= Epoch);
        Invariant.Holds(Role != QuorumRole.Leader || (Leader == Id && VotedFor == Id));
        Invariant.Holds(Role != QuorumRole.Follower || (Leader != Id && Leader != NodeId.None));
    }

    private void OnTick(TimeSpan now)
    {
        if (Role == QuorumRole.Leader) Lead(now);
        else if (rules.IsDue(deadline, now)) StandForElection(now);
        else if (Role == QuorumRole.Follower) { if (rules.IsDue(fetchAgainAt, now)) SendFetch(now); }
        else Solicit(now);
    }

    private void OnAsked(long replyTo, QuorumRequest request, TimeSpan now)
    {
        switch (request)
        {
            case QuorumRequest.Vote vote: OnVoteAsked(replyTo, vote, now); break;
            case QuorumRequest.BeginEpoch begin: OnBeginEpochAsked(replyTo, begin, now); break;
            case QuorumRequest.EndEpoch end: OnEndEpochAsked(replyTo, end, now); break;
            case QuorumRequest.Fetch fetch: OnFetchAsked(replyTo, fetch, now); break;
            default: throw new InvalidOperationException($"no such request: {request.GetType().Name}");
        }
    }

    /// <summary>Every answer may bring news of a later epoch or of this epoch's leader; the rest is for who still waits for it.</summary>
    private void OnAnswered(QuorumInput.Answered answered, TimeSpan now)
    {
        var answer = answered.Answer;
        if (rules.IsOlderEpoch(answer.Epoch, Epoch)) return;
        Learn(answer.Epoch, answer.Leader, now);
        switch (answer)
        {
            case QuorumAnswer.Vote vote: OnVoteAnswered(answered.From, vote, now); break;
            case QuorumAnswer.BeginEpoch: if (Role == QuorumRole.Leader) unheard.Remove(answered.From); break;
            case QuorumAnswer.EndEpoch: if (Role == QuorumRole.Resigned) unheard.Remove(answered.From); break;
            case QuorumAnswer.Fetch fetch: OnFetchAnswered(answered, fetch, now); break;
            default: throw new InvalidOperationException($"no such answer: {answer.GetType().Name}");
        }
    }

    private void OnUnanswered(QuorumInput.Unanswered failed, TimeSpan now)
    {
        if (Role == QuorumRole.Follower && rules.IsAwaited(failed.RequestId, awaitedFetch)) fetchAgainAt = now + settings.RetryBackoff;
        else if (retryAt.ContainsKey(failed.To)) retryAt[failed.To] = now + settings.RetryBackoff;
    }

    /// <summary>Joins a newer epoch, or follows a leader not known before.</summary>
    private void Learn(int epoch, NodeId leader, TimeSpan now)
    {
        var newer = rules.IsNewerEpoch(epoch, Epoch);
        if (voters.Contains(leader.Value) && rules.MayFollow(newer ? NodeId.None : Leader, leader, Id))
        {
            if (newer || Role != QuorumRole.Follower) Follow(epoch, leader, now);
        }
        else if (newer)
        {
            JoinEpoch(epoch, now);
            PersistState();
        }
    }

    /// <summary>Enters a newer epoch in which nobody is known to lead. The caller persists it.</summary>
    private void JoinEpoch(int epoch, TimeSpan now)
    {
        var keepsDeadline = Role is QuorumRole.Unattached or QuorumRole.Candidate;    // or a voter that cannot win would put off those who can
        Leave();
        (Epoch, VotedFor, Leader, Role) = (epoch, NodeId.None, NodeId.None, QuorumRole.Unattached);
        if (!keepsDeadline) WaitForElection(now);
    }

    private void WaitForElection(TimeSpan now) => deadline = now + rules.ElectionDelay(settings.ElectionTimeout, random.NextDouble());

    private void PersistState()
    {
        var state = new QuorumState(Epoch, VotedFor, Leader);
        if (state == persisted) return;
        persisted = state;
        Emit(new QuorumEffect.Persist(state));
    }

    private void FlushLog()
    {
        log.Flush();
        Emit(new QuorumEffect.Flush(log.EndOffset));
    }

    private void AdvanceTo(long highWatermark)
    {
        if (!rules.Advances(HighWatermark, highWatermark)) return;
        HighWatermark = highWatermark;
        Emit(new QuorumEffect.CommitAdvanced(highWatermark));
    }

    private void Send(NodeId to, QuorumRequest request) => Emit(new QuorumEffect.Send(to, ++lastRequestId, request));

    private void Answer(long replyTo, QuorumAnswer answer) => Emit(new QuorumEffect.Answer(replyTo, answer));

    private void Emit(QuorumEffect effect) => (effects ??= []).Add(effect);

    private IReadOnlyList<QuorumEffect> TakeEffects()
    {
        IReadOnlyList<QuorumEffect> taken = effects ?? Nothing;
        effects = null;
        return taken;
    }
}
