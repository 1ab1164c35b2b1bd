using Broker.Core.Groups;

namespace Broker.Tests.Groups;

/// <summary>The bytes of Kafka's own records, by its message definitions; its dump tool reads what is written here.</summary>
public sealed class GroupRecordCodecTests
{
    [Fact]
    public void An_offset_is_written_as_Kafka_writes_it()
    {
        var (key, value) = GroupRecordCodec.Encode(new GroupRecord.Offset("g", "tt", 2, new CommittedOffset(258, 7, "m", 3)));
        Assert.Equal("0001" + "000167" + "00027474" + "00000002", Convert.ToHexString(key));
        Assert.Equal("0003" + "0000000000000102" + "00000007" + "00016D" + "0000000000000003", Convert.ToHexString(value!));
    }

    [Fact]
    public void A_group_is_written_as_Kafka_writes_it()
    {
        var member = new MemberMetadata("m", null, "c", "/h", 5, 6, new byte[] { 1 }, new byte[] { 2, 3 });
        var (key, value) = GroupRecordCodec.Encode(new GroupRecord.Metadata("g", new GroupMetadata("consumer", 4, "range", "m", 9, [member])));
        Assert.Equal("0002" + "000167", Convert.ToHexString(key));
        Assert.Equal(
            "0003" + "0008636F6E73756D6572" + "00000004" + "000572616E6765" + "00016D" + "0000000000000009" + "00000001"
            + "00016D" + "FFFF" + "000163" + "00022F68" + "00000005" + "00000006" + "0000000101" + "000000020203", Convert.ToHexString(value!));
    }

    [Fact]
    public void What_is_written_is_read_back_and_a_tombstone_stays_one()
    {
        GroupRecord[] records =
        [
            new GroupRecord.Offset("größe", "t", 0, new CommittedOffset(long.MaxValue, -1, "", -1)), new GroupRecord.Offset("", "t", 1, null),
            new GroupRecord.Metadata("g", new GroupMetadata("", 1, null, null, 2, [])), new GroupRecord.Metadata("g", null),
        ];
        foreach (var record in records)
        {
            var (key, value) = GroupRecordCodec.Encode(record);
            var read = GroupRecordCodec.Decode(key, value is null ? (ReadOnlyMemory<byte>?)null : value)!;
            var again = GroupRecordCodec.Encode(read);
            Assert.Equal(key, again.Key);
            Assert.Equal(value, again.Value);
            Assert.Equal(record.GetType(), read.GetType());
        }
    }

    [Fact]
    public void Keys_of_other_kinds_are_passed_over() => Assert.Null(GroupRecordCodec.Decode(new byte[] { 0, 3, 0, 1, 65 }, new byte[] { 1 }));
}
