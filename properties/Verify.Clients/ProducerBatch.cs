using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Records of one partition that travel, succeed and fail together.</summary>
internal sealed class ProducerBatch(TopicPartition partition, TimeSpan created)
{
    /// <summary>Upper bounds of what a record takes besides its key, value and headers, and a header besides its two parts.</summary>
    private const int RecordOverheadBytes = 36, HeaderOverheadBytes = 10;

    private readonly List<Pending> records = [];
    private byte[]? encoded;
    private SendOutcome outcome;
    private ClientRules? offsets;

    public TopicPartition Partition => partition;

    public TimeSpan Created => created;

    public int Count => records.Count;

    /// <summary>Upper bound of its size on the wire.</summary>
    public int Bytes { get; private set; } = RecordBatch.HeaderSize;

    /// <summary>No record may join any more: it is full, or left once.</summary>
    public bool IsClosedToRecords { get; set; }

    /// <summary>How often it left for a broker.</summary>
    public int Attempts { get; set; }

    public bool IsInFlight { get; set; }

    /// <summary>Some attempt may have been appended.</summary>
    public bool MayHaveBeenAppended { get; set; }

    /// <summary>Its records have their outcome, though a request with it may still be on its way.</summary>
    public bool IsConcluded { get; private set; }

    /// <summary>Not to leave again before this, unless there is a newer leader.</summary>
    public TimeSpan NotBefore { get; set; }

    /// <summary>The leader epoch under which it left last.</summary>
    public int UsedEpoch { get; set; } = -1;

    /// <summary>What went wrong last.</summary>
    public ErrorCode LastError { get; set; } = ErrorCode.RequestTimedOut;

    public bool IsRetry => Attempts > 0;

    public bool IsNumbered { get; private set; }

    public long ProducerId { get; private set; } = -1;

    public short ProducerEpoch { get; private set; } = -1;

    public int BaseSequence { get; private set; } = -1;

    public static int SizeOf(byte[]? key, byte[]? value, ReadOnlySpan<RecordHeader> headers)
    {
        var size = RecordOverheadBytes + (key?.Length ?? 0) + (value?.Length ?? 0);
        foreach (var header in headers) size += HeaderOverheadBytes + header.KeyBytes.Length + (header.Value?.Length ?? 0);
        return size;
    }

    public Task<SendOutcome> Add(byte[]? key, byte[]? value, RecordHeader[] headers, long timestampMs)
    {
        var pending = new Pending(key, value, headers, timestampMs);
        records.Add(pending);
        Bytes += SizeOf(key, value, headers);
        return pending.Task;
    }

    public void Number(long producerId, short producerEpoch, int baseSequence)
    {
        (IsNumbered, ProducerId, ProducerEpoch, BaseSequence, encoded) = (true, producerId, producerEpoch, baseSequence, null);
    }

    public void TakeNumberBack() => (IsNumbered, ProducerId, ProducerEpoch, BaseSequence, encoded) = (false, -1, -1, -1, null);

    public byte[] Encode(RecordBatchBuilder builder)
    {
        if (encoded is not null) return encoded;
        (builder.ProducerId, builder.ProducerEpoch, builder.BaseSequence) = (ProducerId, ProducerEpoch, BaseSequence);
        foreach (var record in records) builder.Append(record.TimestampMs, record.Key, record.Value, record.Headers);
        encoded = builder.ToArray();
        builder.Clear();
        return encoded;
    }

    /// <summary>Gives every record its outcome, once; their awaiters go on in a turn of their own.</summary>
    public void Conclude(SendOutcome concluded, ClientRules rules)
    {
        if (IsConcluded) return;
        IsConcluded = true;
        (outcome, offsets) = (concluded, rules);
        if (SynchronizationContext.Current is { } loop) loop.Post(static state => ((ProducerBatch)state!).Complete(), this);
        else Complete();
    }

    private void Complete()
    {
        for (var i = 0; i < records.Count; i++) records[i].TrySetResult(outcome with { Offset = offsets!.OffsetInBatch(outcome.Offset, i) });
    }

    private sealed class Pending(byte[]? key, byte[]? value, RecordHeader[] headers, long timestampMs) : TaskCompletionSource<SendOutcome>
    {
        public byte[]? Key => key;

        public byte[]? Value => value;

        public RecordHeader[] Headers => headers;

        public long TimestampMs => timestampMs;
    }
}
