using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Hears what a member does at the moment it does it. A poll tells afterwards; a history has to know when a request went out. Called on the member's loop; decides nothing.</summary>
public interface IGroupWatcher
{
    /// <summary>It has a share, and asks where the group stands there.</summary>
    void Asks(string member, int generation, IReadOnlyList<TopicPartition> share);

    /// <param name="committed">Where it begins, -1 where nothing was committed; null: the share is over, or it never learnt; it reads nothing.</param>
    void Learns(IReadOnlyDictionary<TopicPartition, long>? committed);

    /// <summary>From here on it may be given a share and ask where the group stands; when exactly nobody sees. <see cref="Takes"/> tells.</summary>
    void Awaits();

    /// <summary>It has a share; where the group stands in what is new in it was asked since <see cref="Awaits"/>.</summary>
    /// <param name="committed">Where it begins in what is new, -1 where nothing was committed.</param>
    void Takes(string member, int generation, IReadOnlyList<TopicPartition> share, IReadOnlyDictionary<TopicPartition, long> committed);

    /// <summary>The share is no longer its own.</summary>
    void GaveUp(string member, int generation, IReadOnlyList<TopicPartition> share);

    void Commits(string member, int generation, IReadOnlyDictionary<TopicPartition, long> offsets);

    /// <summary>The fate of the commit told last.</summary>
    void Hears(CommitOutcome outcome);
}
