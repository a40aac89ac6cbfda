using System.Text;
using Carrel.Contracts.Events;
using Carrel.Deskd.Events;

namespace Carrel.Deskd.Tests.Events;

public sealed class EventOutboxTests
{
    private readonly EventOutbox _outbox = new();

    [Fact]
    public async Task What_does_not_fit_is_counted_where_it_is_missing()
    {
        Offer(0, EventCatalogue.BufferedEvents + 7);
        Assert.Equal("0", await NextAsync());
        Offer(1000, 2);

        for (var i = 1; i < EventCatalogue.BufferedEvents; i++)
        {
            Assert.Equal($"{i}", await NextAsync());
        }

        Assert.Equal("""{"type":"dropped","count":7}""", await NextAsync());
        Assert.Equal("1000", await NextAsync());
        Assert.Equal("""{"type":"dropped","count":1}""", await NextAsync());
    }

    [Fact]
    public async Task What_is_missing_at_the_end_is_told_without_another_event()
    {
        Offer(0, EventCatalogue.BufferedEvents + 3);
        for (var i = 0; i < EventCatalogue.BufferedEvents; i++)
        {
            await NextAsync();
        }

        Assert.Equal("""{"type":"dropped","count":3}""", await NextAsync());
    }

    [Fact]
    public async Task Large_events_fill_it_sooner()
    {
        for (var i = 0; i < 10; i++)
        {
            _outbox.Offer(new byte[1024 * 1024]);
        }

        for (var i = 0; i < EventOutbox.MostBytes / (1024 * 1024); i++)
        {
            Assert.Equal(1024 * 1024, (await _outbox.NextAsync())!.Value.Length);
        }

        Assert.Equal("""{"type":"dropped","count":2}""", await NextAsync());
    }

    [Fact]
    public async Task A_reader_that_waits_gets_what_comes_and_the_end()
    {
        var waiting = NextAsync();
        Assert.False(waiting.IsCompleted);
        Offer(1, 1);
        Assert.Equal("1", await waiting);
        _outbox.Close();

        Assert.Null(await _outbox.NextAsync());
    }

    private void Offer(int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            _outbox.Offer(Encoding.UTF8.GetBytes($"{i}"));
        }
    }

    private async Task<string> NextAsync() => Encoding.UTF8.GetString((await _outbox.NextAsync())!.Value.Span);
}
