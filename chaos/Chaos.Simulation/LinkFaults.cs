using Broker.Runtime;
using Chaos.Faults;

namespace Chaos.Simulation;

/// <summary>The active faults of the network: what is cut, what is slow, which messages are hit. Where nothing is broken, asking costs a comparison.</summary>
internal sealed class LinkFaults(Func<NodeId, bool> isController)
{
    private const short Fetch = 1;
    private const short BrokerHeartbeat = 63;
    private readonly List<ActiveFault> cuts = [];
    private readonly List<ActiveFault> delays = [];
    private readonly List<ActiveFault> messages = [];

    public bool HitsMessages => messages.Count > 0;

    public void Add(ActiveFault fault) => ListFor(fault.Fault).Add(fault);

    public void Remove(ActiveFault fault) => ListFor(fault.Fault).Remove(fault);

    /// <summary>True when nothing passes from one node to the other; the faults in the way have then bitten.</summary>
    /// <param name="port">The one that was connected to.</param>
    public bool Cuts(int from, int to, int port)
    {
        if (cuts.Count == 0) return false;
        var cut = false;
        foreach (var fault in cuts)
        {
            var partition = (Fault.Partition)fault.Fault;
            var blocked = (partition.Way != CutWay.In && fault.From.Contains(from) && fault.To.Contains(to))
                          || (partition.Way != CutWay.Out && fault.To.Contains(from) && fault.From.Contains(to));
            if (!blocked || (partition.Port ?? port) != port) continue;
            cut = true;
            fault.Bite();
        }

        return cut;
    }

    /// <summary>Ticks to add to one message's flight.</summary>
    public long Extra(int from, int to, Prng prng)
    {
        if (delays.Count == 0) return 0;
        var extra = 0L;
        foreach (var fault in delays)
        {
            var delay = (Fault.Delay)fault.Fault;
            var peer = fault.Node.Value == from ? to : fault.Node.Value == to ? from : -1;
            if (peer < 0 || (delay.To is { } only && Fault.NodeOf(only).Value != peer)) continue;
            extra += delay.Extra.Ticks + (long)(prng.NextDouble() * delay.Jitter.Ticks);
            fault.Bite();
        }

        return extra;
    }

    /// <summary>What happens to one message.</summary>
    public MessageFate Hit(int from, int to, bool isAnswer, short apiKey)
    {
        var fate = default(MessageFate);
        foreach (var fault in messages)
        {
            if (fault.Left == 0 || !Matches(fault, from, to, isAnswer, apiKey)) continue;
            fault.Left--;
            fault.Bite();
            switch (fault.Fault)
            {
                case Fault.Hold or Fault.Fence:
                    fate = fate with { Hold = fault };
                    break;
                case Fault.LagMetadata lag:
                    fate = fate with { Lag = fate.Lag + lag.By.Ticks };
                    break;
                case Fault.LoseAnswer lose:
                    fate = fate with { Lost = true, ConnectionDies = lose.ConnectionDies };
                    break;
                default:
                    throw new InvalidOperationException($"{fault.Fault.Word} does not hit messages");
            }
        }

        return fate;
    }

    private bool Matches(ActiveFault fault, int from, int to, bool isAnswer, short apiKey) => fault.Fault switch
    {
        Fault.Hold hold => hold.Answers == isAnswer && Is(hold.From, from) && Is(hold.To, to) && (hold.ApiKey ?? apiKey) == apiKey,
        Fault.LoseAnswer lose => isAnswer && fault.Node.Value == from && Is(lose.To, to) && (lose.ApiKey ?? apiKey) == apiKey,
        Fault.LagMetadata => isAnswer && fault.Node.Value == to && apiKey == Fetch && isController(new NodeId(from)),
        Fault.Fence => !isAnswer && fault.Node.Value == from && apiKey == BrokerHeartbeat,
        _ => false,
    };

    private static bool Is(NodeRef? wanted, int node) => wanted is null || Fault.NodeOf(wanted).Value == node;

    private List<ActiveFault> ListFor(Fault fault) => fault switch
    {
        Fault.Partition => cuts,
        Fault.Delay => delays,
        _ => messages,
    };
}

/// <param name="Hold">Kept back until this fault is healed.</param>
/// <param name="Lag">Ticks later than otherwise.</param>
/// <param name="Lost">Never arrives.</param>
/// <param name="ConnectionDies">If lost: the stream ends in its place; otherwise it falls silent.</param>
internal readonly record struct MessageFate(ActiveFault? Hold, long Lag, bool Lost, bool ConnectionDies);
