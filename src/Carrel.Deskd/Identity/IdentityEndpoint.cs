using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Deskd.Http;
using Carrel.Deskd.Screen;
using Carrel.Deskd.X11;

namespace Carrel.Deskd.Identity;

/// <summary><c>PUT /identity</c>: the machine learns who it is. May come again, as after a restore.</summary>
internal sealed class IdentityEndpoint
{
    private const int MaxBytes = 64 * 1024;
    private readonly DeskdSettings _settings;
    private readonly MachineIdentity _identity;
    private readonly DisplayLink _link;
    private readonly SemaphoreSlim _turn = new(1);
    private (int Width, int Height)? _size;

    public IdentityEndpoint(DeskdSettings settings, MachineIdentity identity, DisplayLink link)
    {
        (_settings, _identity, _link) = (settings, identity, link);
        link.Connected += display => _ = ResizeAsync(display);
    }

    /// <summary>The first screen's size as the machine was told of it.</summary>
    public (int Width, int Height)? BootSize => _size;

    private string Kept => Path.Combine(_settings.RunFolder, "identity.json");

    public async Task<Reply> PutAsync(Exchange exchange)
    {
        var (body, problem) = await exchange.ReadBodyAsync(MaxBytes);
        if (body is null)
        {
            return problem!;
        }

        var told = new Contracts.Deskd.Identity(
            body.Read(Fields.Token), body.Read(Fields.VncPassword), body.Read(Fields.HostName), body.Read(Fields.MachineId),
            body.Read(Fields.Width), body.Read(Fields.Height));
        if (body.Problem is not null)
        {
            return body.Problem;
        }

        await _turn.WaitAsync(exchange.Aborted);
        try
        {
            await TakeAsync(told);
            return Reply.Json(200, json => json.WriteBoolean("success"u8, true));
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes up the identity that a deskd before this one was told, if any.</summary>
    public void Recall()
    {
        if (!File.Exists(Kept))
        {
            return;
        }

        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(Kept), DeskdJson.Default.Identity) is { } told)
            {
                _size = (told.Width, told.Height);
                _identity.Take(told.Token);
            }
        }
        catch (JsonException e)
        {
            Log.Write($"{Kept} is not readable ({e.Message}); waiting to be told who we are");
        }
    }

    private async Task TakeAsync(Contracts.Deskd.Identity told)
    {
        Directory.CreateDirectory(_settings.RunFolder);
        PrivateFile.Replace(Path.Combine(_settings.RunFolder, "vncpasswd"), VncPassword.Obfuscate(told.VncPassword));
        PrivateFile.Replace(Kept, JsonSerializer.SerializeToUtf8Bytes(told, DeskdJson.Default.Identity));
        var isOther = HostNames.SetMachineId(_settings.MachineIdFile, told.MachineId);
        if (_settings.SetsHostName)
        {
            if (isOther)
            {
                BrowserLocks.Break(BrowserLocks.Homes(), told.HostName);
            }

            HostNames.SetHostName(told.HostName);
        }

        _identity.Take(told.Token);
        _size = (told.Width, told.Height);
        if (_link.Current is { } display)
        {
            await ResizeAsync(display);
        }
    }

    /// <summary>Gives the screen the size that the machine was told of, also when the X server comes after the identity.</summary>
    private async Task ResizeAsync(XDisplay display)
    {
        try
        {
            if (_size is { } size && display.Size != size)
            {
                await ScreenSize.SetAsync(display, size.Width, size.Height);
            }
        }
        catch (Exception e) when (e is XDisconnectedException or XRequestException)
        {
            Log.Write($"the screen keeps its size: {e.Message}");
        }
    }

    internal static class Fields
    {
        public static readonly TextField Token = new("token", "Bearer token of the in-computer API.", true, 4096);
        public static readonly TextField VncPassword = new("vnc_password", "RFB password; its first 8 characters count.", true, 4096);
        public static readonly TextField HostName = new("host_name", "Host name.", true, 63);
        public static readonly TextField MachineId = new("machine_id", "32 hex digits for /etc/machine-id.", true, 32);
        public static readonly IntegerField Width = new("width", "Width of the screen, pixels.", true, 320, 7680);
        public static readonly IntegerField Height = new("height", "Height of the screen, pixels.", true, 200, 4320);

        public static readonly Field[] All = [Token, VncPassword, HostName, MachineId, Width, Height];
    }
}
