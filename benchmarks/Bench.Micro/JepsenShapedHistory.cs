using Broker.Runtime;
using Verify.History;

namespace Bench.Micro;

/// <summary>
/// A valid history in the shape that Jepsen's Kafka test makes: ten processes, operations of one to four sends and polls on ten active keys (the first chosen
/// most), each key retired after at most 1,024 writes, now and then a new assignment, a failed or an indeterminate operation; at the end every process reads every key again from its
/// beginning. The same seed gives the same bytes.
/// </summary>
internal sealed class JepsenShapedHistory(ulong seed, long operations)
{
    private const int Processes = 10;
    private const int ActiveKeys = 10;
    private const int MaxWrites = 1024;
    private const int PollLimit = 500;
    private const int FinalPollLimit = 2_000;

    /// <summary>A partition: offset n holds Log[n].</summary>
    private sealed class Key(int id, int writes)
    {
        public int Id { get; } = id;

        public int WritesLeft { get; set; } = writes;

        public int LastValue { get; set; }

        public List<int> Log { get; } = [];
    }

    private sealed class Client(int process)
    {
        public int Process { get; set; } = process;

        /// <summary>What is assigned, and the next offset to read.</summary>
        public List<(Key Key, int Position)> Assigned { get; set; } = [];

        /// <summary>Invoked and not yet completed: a send's key and value, or no key for a poll. Empty when idle.</summary>
        public List<(Key? Key, int Value)> Pending { get; } = [];
    }

    private readonly Prng prng = new(seed);
    private readonly List<Key> keys = [];
    private readonly Key[] active = new Key[ActiveKeys];
    private readonly HistoryLog log = new();
    private readonly double[] weights = [.. Enumerable.Range(1, MaxWrites).Select(static n => 1.0 / n)];
    private long time, events, sent, polled;
    private int nextProcess = Processes;
    private HistoryJsonWriter writer = null!;

    public (long Events, long Sent, int Keys, long Polled) Write(Stream output)
    {
        using (writer = new HistoryJsonWriter(output))
        {
            for (var i = 0; i < ActiveKeys; i++) active[i] = NewKey();
            var clients = Enumerable.Range(0, Processes).Select(static p => new Client(p)).ToArray();
            foreach (var client in clients) Assign(client, [PickKey(), PickKey()]);
            for (var invoked = 0L; invoked < operations || clients.Any(static c => c.Pending.Count > 0);)
            {
                var client = prng.Pick(clients);
                if (client.Pending.Count > 0) Complete(client);
                else if (invoked < operations)
                {
                    Invoke(client);
                    invoked++;
                }
            }
            foreach (var client in clients) ReadEverything(client);
        }
        return (events, sent, keys.Count, polled);
    }

    private Key NewKey()
    {
        var key = new Key(log.Keys.Intern(keys.Count), Zipf());
        keys.Add(key);
        return key;
    }

    /// <summary>1 to <see cref="MaxWrites"/>, n with a chance in proportion to 1/n.</summary>
    private int Zipf()
    {
        var at = prng.NextDouble() * weights.Sum();
        for (var n = 0; n < MaxWrites; n++)
            if ((at -= weights[n]) < 0) return n + 1;
        return MaxWrites;
    }

    /// <summary>The first active key about half the time, the next a quarter, …</summary>
    private Key PickKey() => active[Math.Min(System.Numerics.BitOperations.TrailingZeroCount(prng.NextUInt64()), ActiveKeys - 1)];

    private void Invoke(Client client)
    {
        for (var left = prng.Between(1, 4); left > 0; left--)
        {
            if (prng.Chance(0.5)) client.Pending.Add((null, 0));
            else Send(client);
        }
        if (prng.Below(64) == 0) Assign(client, [.. client.Pending.Select(static p => p.Key).OfType<Key>().Append(PickKey())]);
        Begin(EventType.Invoke, client);
        foreach (var (key, value) in client.Pending)
        {
            if (key is null) log.AddPoll([], []);
            else log.AddSend(key.Id, value);
        }
        End();
    }

    private void Send(Client client)
    {
        var key = PickKey();
        client.Pending.Add((key, ++key.LastValue));
        sent++;
        if (--key.WritesLeft == 0) active[Array.IndexOf(active, key)] = NewKey();
    }

    private void Assign(Client client, IEnumerable<Key> wanted)
    {
        var assigned = new List<(Key, int)>();
        foreach (var key in wanted.Distinct())
        {
            var held = client.Assigned.FindIndex(a => a.Key == key);
            assigned.Add((key, held >= 0 ? client.Assigned[held].Position : Math.Max(0, key.Log.Count - 16)));
        }
        client.Assigned = assigned;
        Assignment(EventType.Invoke, client, seekToBeginning: false);
        Assignment(EventType.Ok, client, seekToBeginning: false);
    }

    private void Assignment(EventType type, Client client, bool seekToBeginning)
    {
        log.Begin(type, EventFunction.Assign, client.Process, Now());
        log.SetKeys([.. client.Assigned.Select(static a => a.Key.Id)]);
        if (seekToBeginning) log.SeekToBeginning();
        End();
    }

    private void Complete(Client client)
    {
        var chance = prng.Below(1_000);
        var type = chance < 5 ? EventType.Fail : chance < 6 ? EventType.Info : EventType.Ok;
        var applied = type == EventType.Ok || type == EventType.Info && prng.Chance(0.5);
        Begin(type, client);
        foreach (var (key, value) in client.Pending)
        {
            if (key is null) Poll(client, type == EventType.Ok ? PollLimit : 0);
            else
            {
                if (applied) key.Log.Add(value);
                log.AddSend(key.Id, value, type == EventType.Ok ? key.Log.Count - 1 : -1);
            }
        }
        End();
        client.Pending.Clear();
        if (type != EventType.Info) return;
        client.Process = nextProcess++;                                // as in Jepsen: the name is retired, a new client opened
        Assign(client, [.. client.Assigned.Select(static a => a.Key)]);
    }

    private void Poll(Client client, int limit)
    {
        log.BeginPoll();
        for (var i = 0; i < client.Assigned.Count; i++)
        {
            var (key, position) = client.Assigned[i];
            for (; position < key.Log.Count && limit > 0; position++, limit--, polled++) log.AddRecord(key.Id, position, key.Log[position]);
            client.Assigned[i] = (key, position);
        }
        log.EndPoll();
    }

    private void ReadEverything(Client client)
    {
        log.Begin(EventType.Info, EventFunction.Crash, client.Process, Now());
        End();
        client.Process = nextProcess++;
        client.Assigned = [.. keys.Select(static k => (k, 0))];
        Assignment(EventType.Invoke, client, seekToBeginning: true);
        Assignment(EventType.Ok, client, seekToBeginning: true);
        while (client.Assigned.Count > 0)
        {
            log.Begin(EventType.Invoke, EventFunction.Poll, client.Process, Now());
            log.AddPoll([], []);
            End();
            log.Begin(EventType.Ok, EventFunction.Poll, client.Process, Now());
            Poll(client, FinalPollLimit);
            End();
            client.Assigned.RemoveAll(static a => a.Position == a.Key.Log.Count);
        }
    }

    private void Begin(EventType type, Client client)
    {
        var sends = client.Pending.Count(static p => p.Key is not null);
        var function = sends == 0 ? EventFunction.Poll : sends == client.Pending.Count ? EventFunction.Send : EventFunction.Txn;
        log.Begin(type, function, client.Process, Now());
    }

    private long Now() => time += prng.Between(1_000, 100_000);

    private void End()
    {
        log.End();
        writer.Write(log[0]);
        log.Clear();
        events++;
    }
}
