namespace Verify.Tests.House;

/// <summary>Comparisons outside of the rules that are no decisions. Each names its file, its text and its reason.</summary>
internal static class StrayDecisionList
{
    private const string QuorumLog = "reference-broker/Broker.Core/Quorum/QuorumLog.cs";
    private const string Keeping = "keeps the table of epochs in order and looks things up in it; what follows from an answer is decided by QuorumRules";

    public static readonly (string Place, string Text, string Why)[] Allowed =
    [
        (QuorumLog, "epochs[^1].Epoch != epoch", Keeping),
        (QuorumLog, "e.Start >= offset", Keeping),
        (QuorumLog, "e.Start <= offset", Keeping),
        (QuorumLog, "epochs[i].Epoch <= epoch", Keeping),
        ("reference-broker/Broker.Node/Serving/ReplicaFetcher.cs", "data.DivergingEpoch != new FetchResponse.EpochEndOffset()", "asks only whether the answer has the field: it is absent when all its parts are at their defaults"),
        ("properties/Verify.Clients/ClientSettings.cs", "DeliveryTimeout < Linger + Connection.RequestTimeout", "refuses settings that contradict each other before anything runs, as Kafka's producer does"),
    ];
}
