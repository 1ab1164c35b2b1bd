using Broker.Protocol;
using Broker.Runtime;

namespace Broker.Core.Fetching;

/// <summary>What a fetch asks for, all told. With an error, nothing; without a session, what the request names.</summary>
/// <param name="Session">The session that goes on; null where there is none, or none yet.</param>
/// <param name="Begins">A session is to begin with the answer.</param>
public sealed record FetchContext(ErrorCode Error, IReadOnlyList<(FetchedPartition Partition, FetchPartition Asked)> Asked, FetchSession? Session = null, bool Begins = false);

/// <summary>The fetch sessions of one broker, so many at most (KIP-227). They are lost with the broker's life; readers begin anew then.</summary>
public sealed class FetchSessions(FetchSessionRules rules, int slots, Prng ids)
{
    /// <summary>min.incremental.fetch.session.eviction.ms, which is no setting in Kafka either.</summary>
    public static readonly TimeSpan Protection = TimeSpan.FromMinutes(2);

    private readonly SortedDictionary<int, FetchSession> sessions = [];

    public int Count => sessions.Count;

    /// <summary>Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR for names in a session of ids and the other way round.</summary>
    public FetchContext Open(FetchRequest request, bool byId, TimeSpan now)
    {
        var named = request.Topics.SelectMany(topic => topic.Partitions.Select(asked => (new FetchedPartition(topic.Topic, topic.TopicId, asked.Partition), asked))).ToList();
        if (rules.IsFull(request.SessionEpoch))
        {
            sessions.Remove(request.SessionId);
            return new FetchContext(ErrorCode.None, named, Begins: rules.AsksForSession(request.SessionEpoch));
        }
        if (!sessions.TryGetValue(request.SessionId, out var session)) return new FetchContext(ErrorCode.FetchSessionIdNotFound, []);
        if (!rules.IsNext(request.SessionEpoch, session.Epoch)) return new FetchContext(ErrorCode.InvalidFetchSessionEpoch, []);
        if (session.ById != byId) return new FetchContext(ErrorCode.FetchSessionTopicIdError, []);

        session.Update(named, request.ForgottenTopicsData.SelectMany(static topic => topic.Partitions.Select(partition => new FetchedPartition(topic.Topic, topic.TopicId, partition))));
        if (session.Count == 0)
        {
            sessions.Remove(session.Id);
            return new FetchContext(ErrorCode.None, named);
        }
        session.Use(now);
        return new FetchContext(ErrorCode.None, [.. session.Asked], session);
    }

    /// <summary>Whether the session's next request has not come while this one waited.</summary>
    public bool IsStillNext(FetchSession session, int requestEpoch) => rules.IsNext(session.Epoch, rules.EpochAfter(requestEpoch));

    /// <summary>A new session for these partitions; null when there is no room, and the reader must name all of them each time.</summary>
    public FetchSession? Begin(IReadOnlyList<(FetchedPartition Partition, FetchPartition Asked)> asked, bool byId, bool isFollower, TimeSpan now)
    {
        if (sessions.Count >= slots && !MakeRoom(asked.Count, isFollower, now)) return null;
        var session = new FetchSession(rules, NewId(), byId, isFollower, now);
        session.Update(asked, []);
        sessions.Add(session.Id, session);
        return session;
    }

    private bool MakeRoom(int partitions, bool isFollower, TimeSpan now)
    {
        var leaves = sessions.Values.Where(session => rules.IsIdle(now - session.LastUsed, Protection)).MinBy(static session => session.LastUsed)
            ?? sessions.Values.Where(session => rules.GivesWay(now - session.Begun, Protection, session.Count, session.IsFollower, partitions, isFollower))
                .OrderBy(static session => session.IsFollower).ThenBy(static session => session.Count).FirstOrDefault();
        return leaves is not null && sessions.Remove(leaves.Id);
    }

    private int NewId()
    {
        while (true)
        {
            var id = ids.Between(1, int.MaxValue - 1);
            if (!sessions.ContainsKey(id)) return id;
        }
    }
}
