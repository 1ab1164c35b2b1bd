using Broker.Core.Controller;
using Broker.Core.Metadata;
using Broker.Runtime;

namespace Broker.Node.Controller;

/// <summary>One term of office: the machine whose decisions go to the metadata log one after another, until one of them is lost.</summary>
/// <param name="quorumEpoch">In which its voter leads the metadata quorum.</param>
/// <param name="propose">Appends a batch behind everything proposed before; its base offset once committed, null when lost.</param>
/// <param name="ended">Called once, when a proposal was lost: the machine knows more than the log.</param>
internal sealed class ControllerTerm(
    IHost host, int quorumEpoch, ControllerRules rules, ControllerMachine machine, Func<ReadOnlyMemory<byte>, Task<long?>> propose, Action<ControllerTerm> ended)
{
    private Task<bool> latest = Task.FromResult(true);

    public ControllerMachine Machine { get; } = machine;

    /// <summary>True once the decision, and every one before it, is committed; false when that can no longer be known.</summary>
    public Task<bool> CommitAsync<TAnswer>(Decision<TAnswer> decision)
    {
        if (decision.Records.Count > 0) latest = ProposeAsync(decision);
        return rules.AnswerAwaitsCommit() ? latest : Task.FromResult(true);
    }

    private async Task<bool> ProposeAsync<TAnswer>(Decision<TAnswer> decision)
    {
        var before = latest;
        var batch = MetadataBatch.Build(decision.Records, host.Time.GetUtcNow().ToUnixTimeMilliseconds());
        foreach (var seen in decision.Observations)
            if (seen.Kind is ObservationKind.Elected) host.Observe(seen with { Kind = ObservationKind.ElectionDecided, Node = host.Id, Connection = quorumEpoch });
        var committed = await propose(batch);
        if (committed is not { } offset || !rules.CommittedAsPredicted(decision.BaseOffset, offset) || !await before)
        {
            ended(this);
            return false;
        }
        foreach (var seen in decision.Observations) host.Observe(seen with { Node = host.Id });
        return true;
    }
}
