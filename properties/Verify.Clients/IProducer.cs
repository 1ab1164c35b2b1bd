using Broker.Protocol;
using Broker.Runtime;

namespace Verify.Clients;

/// <summary>Sends records to partitions that the caller chooses.</summary>
public interface IProducer
{
    /// <summary>
    /// Hands over one record. Records of one partition leave in the order of the calls; the task completes, in a later turn, once the record's fate is as clear as it will get.
    /// </summary>
    /// <remarks>Never throws and never waits for ever: <see cref="ProducerSettings.DeliveryTimeout"/> bounds it.</remarks>
    /// <param name="value">Null: a tombstone.</param>
    /// <param name="headers">Of the record, in order.</param>
    Task<SendOutcome> SendAsync(TopicPartition partition, byte[]? key, byte[]? value, params RecordHeader[] headers);

    /// <summary>Waits until everything handed over so far has its outcome, then closes the connections.</summary>
    Task CloseAsync();
}
