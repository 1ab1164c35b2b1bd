using Broker.Core.Metadata;
using Broker.Runtime;

namespace Broker.Core.Controller;

/// <summary>
/// What the controller decided: the records go to the metadata log as one batch, the answer is given and the observations are shown once
/// they are committed. Decisions must reach the log in the order in which they were made.
/// </summary>
/// <param name="Answer">Holds only if the records are committed; it may rest on decisions made before.</param>
/// <param name="Records">Already applied to the controller's image; empty when nothing changes.</param>
/// <param name="BaseOffset">Where the first record is bound to land.</param>
/// <param name="Observations">Without the node, which the shell fills in.</param>
public sealed record Decision<TAnswer>(TAnswer Answer, IReadOnlyList<MetadataRecord> Records, long BaseOffset, IReadOnlyList<Observation> Observations);
