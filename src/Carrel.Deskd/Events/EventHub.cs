using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Carrel.Contracts.Events;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Events;

/// <summary>
/// Brings events from their sources to whoever wants them. A source starts with the first subscription to one of its types
/// and stops with the last.
/// </summary>
internal sealed class EventHub(TimeProvider time)
{
    private readonly SemaphoreSlim _changing = new(1);
    private readonly Dictionary<string, EventSource> _sources = [];
    private readonly Dictionary<EventSource, int> _uses = [];
    private ImmutableArray<EventClient> _clients = [];
    private FileSource? _files;

    public void Add(params IEnumerable<EventSource> sources)
    {
        foreach (var source in sources)
        {
            _files ??= source as FileSource;
            foreach (var type in source.Types)
            {
                _sources.Add(type, source);
            }
        }
    }

    public bool Knows(string type) => _sources.ContainsKey(type);

    /// <summary>Whether anybody would get such an event.</summary>
    public bool IsWanted(string type) => _clients.Any(client => client.Types.Contains(type));

    /// <summary>Subscribes to types that are known and adds paths to watch; both may be there already. What happens after it has returned is told.</summary>
    /// <returns>What could not be watched, and why.</returns>
    public async Task<IReadOnlyList<string>> SubscribeAsync(EventClient client, IEnumerable<string> types, IEnumerable<WatchedPath> paths)
    {
        var problems = new List<string>();
        await _changing.WaitAsync();
        try
        {
            if (!_clients.Contains(client))
            {
                _clients = _clients.Add(client);
            }

            foreach (var type in types.Where(type => !client.Types.Contains(type)))
            {
                try
                {
                    await UseAsync(_sources[type]);
                    client.Types = client.Types.Add(type);
                }
                catch (Exception e) when (e is IOException or NotSupportedException)
                {
                    problems.Add($"{type} cannot be watched: {e.Message}");
                }
            }

            foreach (var path in paths.Where(path => !client.Paths.Contains(path)))
            {
                try
                {
                    _files!.Watch(path);
                    client.Paths = client.Paths.Add(path);
                }
                catch (IOException e)
                {
                    problems.Add($"{path.Path} cannot be watched: {e.Message}");
                }
            }
        }
        finally
        {
            _changing.Release();
        }

        return problems;
    }

    public async Task UnsubscribeAsync(EventClient client, IEnumerable<string> types, IEnumerable<WatchedPath> paths)
    {
        await _changing.WaitAsync();
        try
        {
            foreach (var path in paths.Where(path => client.Paths.Contains(path)))
            {
                client.Paths = client.Paths.Remove(path);
                _files!.Unwatch(path);
            }

            foreach (var type in types.Where(client.Types.Contains))
            {
                client.Types = client.Types.Remove(type);
                var source = _sources[type];
                if (--_uses[source] == 0)
                {
                    await source.StopAsync();
                }
            }

            if (client.Types.IsEmpty && client.Paths.IsEmpty)
            {
                _clients = _clients.Remove(client);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Tells an event to those who want it. Never waits, so any thread may.</summary>
    /// <param name="writeData">Writes the properties of <c>data</c>.</param>
    /// <param name="concerns">Whom of those it concerns; everybody when null.</param>
    public void Publish(string type, Action<Utf8JsonWriter>? writeData = null, Func<EventClient, bool>? concerns = null)
    {
        ReadOnlyMemory<byte> message = default;
        foreach (var client in _clients)
        {
            if (client.Types.Contains(type) && concerns?.Invoke(client) != false)
            {
                // Written once, for all.
                message = message.IsEmpty ? Write(type, writeData) : message;
                client.Outbox.Offer(message);
            }
        }
    }

    /// <summary>Tells everybody who watches files that something of it failed.</summary>
    public void PublishProblem(string type, string problem)
    {
        foreach (var client in _clients.Where(client => client.Types.Contains(type)))
        {
            client.Outbox.Offer(Reply.JsonBytes(json =>
            {
                json.WriteString("type"u8, "error"u8);
                json.WriteString("message"u8, problem);
            }));
        }
    }

    private async Task UseAsync(EventSource source)
    {
        var uses = _uses.GetValueOrDefault(source);
        if (uses == 0)
        {
            await source.StartAsync();
        }

        _uses[source] = uses + 1;
    }

    private ReadOnlyMemory<byte> Write(string type, Action<Utf8JsonWriter>? writeData) => Reply.JsonBytes(json =>
    {
        json.WriteString("type"u8, "event"u8);
        json.WriteStartObject("event"u8);
        json.WriteString("type"u8, type);
        json.WriteString("timestamp"u8, time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteStartObject("data"u8);
        writeData?.Invoke(json);
        json.WriteEndObject();
        json.WriteEndObject();
    });
}
