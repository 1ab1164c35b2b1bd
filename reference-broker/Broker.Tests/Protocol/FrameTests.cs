using Broker.Protocol;

namespace Broker.Tests.Protocol;

/// <summary>Headers, version negotiation and what error messages say.</summary>
public sealed class FrameTests
{
    [Fact]
    public void A_request_header_says_which_api_version_correlation_and_client()
    {
        var frame = RequestFrame.Encode(new MetadataRequest { Topics = null }, 12, 5, "me");
        var header = RequestFrame.ReadHeader(frame);
        Assert.Equal(new RequestHeader(ApiKey.Metadata, 12, 5, "me", 13), header);
        Assert.Null(RequestFrame.Decode<MetadataRequest>(frame, header).Topics);
    }

    [Fact]
    public void A_client_id_may_be_null_and_tagged_fields_in_the_header_are_skipped()
    {
        byte[] frame = [0, 3, 0, 12, 0, 0, 0, 5, 0xFF, 0xFF, /* two tags */ 2, 7, 2, 0xAA, 0xBB, 9, 0, /* body */ 0, 1, 0, 0];
        var header = RequestFrame.ReadHeader(frame);
        Assert.Equal(new RequestHeader(ApiKey.Metadata, 12, 5, null, 17), header);
        Assert.True(RequestFrame.Decode<MetadataRequest>(frame, header).AllowAutoTopicCreation);
    }

    [Fact]
    public void The_header_of_an_api_or_version_that_is_not_spoken_can_still_be_read()
    {
        Assert.Equal((ApiKey)999, RequestFrame.ReadHeader([3, 0xE7, 0, 1, 0, 0, 0, 9, 0xFF, 0xFF, 1, 2, 3]).Key);
        byte[] tooNew = [0, 18, 0, 99, 0, 0, 0, 9, 0, 1, (byte)'c', 0, 1, 2, 3];
        var header = RequestFrame.ReadHeader(tooNew);
        Assert.Equal((short)99, header.Version);
        Assert.Throws<MalformedFrameException>(() => RequestFrame.Decode<ApiVersionsRequest>(tooNew, header));
    }

    [Fact]
    public void A_request_is_not_read_as_another_one()
    {
        var frame = RequestFrame.Encode(new MetadataRequest(), 1, 5, null);
        var header = RequestFrame.ReadHeader(frame);
        Assert.Throws<MalformedFrameException>(() => RequestFrame.Decode<FetchRequest>(frame, header));
    }

    [Fact]
    public void Answers_have_tagged_fields_in_their_header_only_where_flexible_and_never_for_api_versions()
    {
        Assert.Equal(4 + 2 + 4 + 4, ResponseFrame.Encode(new ApiVersionsResponse(), 2, 1).Length);
        Assert.Equal(4 + 2 + 1 + 4 + 1, ResponseFrame.Encode(new ApiVersionsResponse(), 3, 1).Length);
        Assert.Equal(5 + 4 + 2 + 8 + 2 + 1, ResponseFrame.Encode(new InitProducerIdResponse(), 2, 1).Length);
        Assert.Equal(4 + 4 + 2 + 8 + 2, ResponseFrame.Encode(new InitProducerIdResponse(), 1, 1).Length);
    }

    [Fact]
    public void A_refused_api_versions_request_is_answered_in_v0_form_and_read_so()
    {
        var refusal = new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion, ApiKeys = [new ApiVersion { ApiKey = ApiKey.ApiVersions, MaxVersion = 2 }] };
        var read = ResponseFrame.Decode<ApiVersionsResponse>(ResponseFrame.Encode(refusal, 0, 1), 4);
        Assert.Equal(ErrorCode.UnsupportedVersion, read.ErrorCode);
        Assert.Equal(2, read.ApiKeys[0].MaxVersion);
    }

    [Fact]
    public void Error_messages_name_message_version_field_and_byte()
    {
        var frame = RequestFrame.Encode(new FetchRequest { Topics = [new FetchTopic { Topic = "t", Partitions = [new FetchPartition()] }] }, 12, 1, null);
        var header = RequestFrame.ReadHeader(frame);
        Assert.Equal("Fetch request v12: Topics, before byte 37, claims 1 elements where 0 bytes are left",
            Assert.Throws<MalformedFrameException>(() => RequestFrame.Decode<FetchRequest>(frame[..37], header)).Message);
        Assert.Equal("Fetch request v12: FetchOffset, before byte 48, needs 8 bytes where 0 are left",
            Assert.Throws<MalformedFrameException>(() => RequestFrame.Decode<FetchRequest>(frame[..48], header)).Message);
    }

    [Fact]
    public void Null_is_neither_written_nor_read_where_a_version_has_none()
    {
        Assert.Throws<ArgumentException>(() => RequestFrame.Encode(new MetadataRequest { Topics = null }, 0, 1, null));
        Assert.Throws<ArgumentException>(() => ResponseFrame.Encode(new MetadataResponse { Topics = [new MetadataResponseTopic { Name = null }] }, 11, 1));
        var frame = RequestFrame.Encode(new MetadataRequest { Topics = null }, 1, 1, null);
        frame[3] = 0;                                                   // the same bytes as v0
        Assert.Throws<MalformedFrameException>(() => RequestFrame.Decode<MetadataRequest>(frame, RequestFrame.ReadHeader(frame)));
    }

    [Fact]
    public void A_version_that_is_not_spoken_is_not_written()
    {
        Assert.Throws<ArgumentException>(() => RequestFrame.Encode(new ProduceRequest(), 13, 1, null));
        Assert.Throws<ArgumentException>(() => ResponseFrame.Encode(new ProduceResponse(), 2, 1));
        Assert.Throws<ArgumentException>(() => RequestFrame.Encode(new MetadataRequest { Topics = [new MetadataRequestTopic { Name = new string('x', 40_000) }] }, 1, 1, null));
    }

    [Fact]
    public void Tagged_fields_out_of_order_or_longer_than_they_say_are_refused()
    {
        byte[] start = [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0];              // ApiVersions answer v3 up to its tagged fields
        ApiVersionsResponse Read(params byte[] tags) => ResponseFrame.Decode<ApiVersionsResponse>([.. start, .. tags], 3);
        Assert.True(Read(1, 3, 1, 1).ZkMigrationReady);
        Assert.True(Read(2, 3, 1, 1, 9, 0).ZkMigrationReady);
        Assert.Throws<MalformedFrameException>(() => Read(2, 9, 0, 3, 1, 1));
        Assert.Throws<MalformedFrameException>(() => Read(2, 3, 1, 1, 3, 1, 1));
        Assert.Throws<MalformedFrameException>(() => Read(1, 3, 2, 1, 1));
        Assert.Throws<MalformedFrameException>(() => Read(1, 3, 0));
        Assert.Throws<MalformedFrameException>(() => Read(1, 3, 5, 1));
    }

    [Fact]
    public void The_newest_shared_version_is_chosen_or_none()
    {
        Assert.Equal(12, new VersionRange(4, 16).NewestShared(new VersionRange(0, 12)));
        Assert.Equal(16, new VersionRange(4, 16).NewestShared(new VersionRange(4, 18)));
        Assert.Equal(-1, new VersionRange(4, 16).NewestShared(new VersionRange(17, 18)));
        Assert.Equal(-1, new VersionRange(4, 16).NewestShared(new VersionRange(0, 3)));
    }

    [Fact]
    public void Apis_are_listed_ascending_and_found_by_key()
    {
        Assert.Equal(Apis.All.OrderBy(api => api.Key), Apis.All);
        Assert.All(Apis.All, api => Assert.Same(api, Apis.Find(api.Key)));
        Assert.Null(Apis.Find(ApiKey.LeaderAndIsr));
        Assert.Null(Apis.Find((ApiKey)(-1)));
        Assert.Null(Apis.Find((ApiKey)9999));
    }
}
