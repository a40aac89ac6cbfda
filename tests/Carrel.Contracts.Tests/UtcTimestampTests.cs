using System.Text.Json;
using Carrel.Contracts.Api;
using Xunit;

namespace Carrel.Contracts.Tests;

public sealed class UtcTimestampTests
{
    private static readonly JsonSerializerOptions s_options = new() { Converters = { new UtcTimestampConverter() } };

    [Fact]
    public void Timestamps_are_written_in_utc_with_a_z()
    {
        var noonInParis = new DateTimeOffset(2026, 4, 7, 12, 35, 0, 123, TimeSpan.FromHours(2));

        Assert.Equal("\"2026-04-07T10:35:00.123Z\"", JsonSerializer.Serialize(noonInParis, s_options));
    }
}
